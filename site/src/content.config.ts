/** The content collection of pages, with fields beyond Starlight's. */

import { defineCollection } from 'astro:content';
import { docsLoader } from '@astrojs/starlight/loaders';
import { docsSchema } from '@astrojs/starlight/schema';
import { z } from 'astro/zod';

const extend = z.object({
  /** The date of the first version, and the date of the last check against the product. */
  published: z.date().optional(),
  reviewed: z.date().optional(),
  /** Related pages: `how-to/connect-nats`. */
  seeAlso: z.array(z.string()).optional(),
});

export const collections = {
  docs: defineCollection({ loader: docsLoader(), schema: docsSchema({ extend }) }),
};
