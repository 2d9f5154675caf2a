/**
 * The storage for streams in each region, and the number of accounts that it suffices for, from the wrangler configuration.
 */
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';
import { parseVars } from '../../../functions/shared/env.ts';
import { sizeOf } from './size.ts';

/** A region's storage on disk, as text. `accounts` is null if there is no limit. */
export interface StorageRow {
  region: string;
  storage: string;
  account: string;
  accounts: number | null;
}

/** Reads the storage of each region from the wrangler configuration at `path`. Throws if a setting is invalid. */
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
