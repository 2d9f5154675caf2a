/**
 * The regions of this deployment, read from its wrangler configuration while the site builds. Owns the reading only:
 * the shape of a region is functions/shared/regions.ts's.
 */
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';
import { regionsVar } from '../../../functions/shared/regions.ts';

/** What the pages and their policy need to know of a region; `websockets` are the origins that browsers may open. */
export interface BuildRegion {
  name: string;
  label: string;
  websockets: string[];
}

/** The regions of the wrangler configuration at `path`, in its order. Throws when one is malformed. */
export function readRegions(path: string | URL): BuildRegion[] {
  const config = path instanceof URL ? fileURLToPath(path) : path;
  const { vars } = unstable_readConfig({ config }, { hideWarnings: true });
  return Object.entries(regionsVar.parse(vars.REGIONS)).map(([name, { label, nats_websockets }]) => ({
    name,
    label,
    websockets: nats_websockets,
  }));
}
