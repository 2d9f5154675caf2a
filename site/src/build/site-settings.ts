/** The `SITE` var of the wrangler configuration. */
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';
import type * as z from 'zod';
import { siteSettings } from '../../../functions/shared/env.ts';

/** Reads the var from the wrangler configuration at `path`. Throws if it is malformed. */
export function readSiteSettings(path: string | URL): z.infer<typeof siteSettings> {
  const config = path instanceof URL ? fileURLToPath(path) : path;
  const { vars } = unstable_readConfig({ config }, { hideWarnings: true });
  return siteSettings.parse(vars.SITE ?? {});
}
