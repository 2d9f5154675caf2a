/**
 * What each region's NATS servers have for streams, and for how many accounts that is, read from the project's wrangler
 * configuration while the site builds.
 */
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';
import { parseVars } from '../../../functions/shared/env.ts';
import { sizeOf } from './size.ts';

/** A region's storage on disk. Texts for people; `accounts` is null where no number is refused. */
export interface StorageRow {
  region: string;
  storage: string;
  account: string;
  accounts: number | null;
}

/** The storage of each region of the wrangler configuration at `path`. Throws when a setting is wrong. */
export function readStorage(path: string | URL): StorageRow[] {
  const config = path instanceof URL ? fileURLToPath(path) : path;
  const { vars } = unstable_readConfig({ config }, { hideWarnings: true });
  const { REGIONS, NATS } = parseVars(vars);
  const { disk } = NATS.account_limits;
  return Object.entries(REGIONS).map(([region, { nats_storage: storage }]) => ({
    region,
    storage: storage === undefined ? 'not set' : sizeOf(storage),
    account: disk === -1 ? 'no limit' : sizeOf(disk),
    accounts: storage === undefined || disk < 1 ? null : Math.floor(storage / disk),
  }));
}
