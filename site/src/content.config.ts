/** The pages: what Starlight reads from src/content/docs, and what ours say of themselves beside that. */

import { defineCollection } from 'astro:content';
import { docsLoader } from '@astrojs/starlight/loaders';
import { docsSchema } from '@astrojs/starlight/schema';
import { z } from 'astro/zod';

const extend = z.object({
  /** When the page was first there, and when somebody last held it against what it describes. */
  published: z.date().optional(),
  reviewed: z.date().optional(),
  /** Pages to read on: `how-to/connect-nats`. */
  seeAlso: z.array(z.string()).optional(),
});

export const collections = {
  docs: defineCollection({ loader: docsLoader(), schema: docsSchema({ extend }) }),
};
