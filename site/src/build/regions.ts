/** The regions in the wrangler configuration. */
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';
import { regionsVar } from '../../../functions/shared/regions.ts';

/** A region. Browsers can connect to the origins in `websockets`. */
export interface BuildRegion {
  name: string;
  label: string;
  websockets: string[];
}

/** Reads the regions from the wrangler configuration at `path`, in their order. Throws if one is malformed. */
export function readRegions(path: string | URL): BuildRegion[] {
  const config = path instanceof URL ? fileURLToPath(path) : path;
  const { vars } = unstable_readConfig({ config }, { hideWarnings: true });
  return Object.entries(regionsVar.parse(vars.REGIONS)).map(([name, { label, nats_websockets }]) => ({
    name,
    label,
    websockets: nats_websockets,
  }));
}
