/**
 * The `SITE` var of the wrangler configuration: what the pages know of where they are. Read while the site builds; the
 * Worker has no use for it.
 */
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';
import * as z from 'zod';

/** The shape of the var. */
export const siteSettings = z.object({
  /** The public address: `https://latchkey.example.com`. */
  url: z
    .string()
    .regex(/^https?:\/\/[^/?#]+$/, 'must be http://host or https://host, without a path')
    .optional(),
  /** Where the project's sources can be edited, up to and with its folder `site/`. */
  edit_url: z.url().regex(/\/$/, 'must end with a slash').optional(),
});

/** Reads the var from the wrangler configuration at `path`. Throws when it is malformed. */
export function readSiteSettings(path: string | URL): z.infer<typeof siteSettings> {
  const config = path instanceof URL ? fileURLToPath(path) : path;
  const { vars } = unstable_readConfig({ config }, { hideWarnings: true });
  return siteSettings.parse(vars.SITE ?? {});
}
