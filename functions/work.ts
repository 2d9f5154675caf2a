/** Defines the parameters for changes in a region, so that domain functions do not depend on requests. */
import type { Change } from '../db/audit.ts';
import type { Database } from '../db/database.ts';
import type { NatsSettings, Quotas, Region, SealingKey } from './env.ts';

/** The context of one change in one region. */
export interface Work {
  store: Database;
  region: Region;
  sealingKeys: readonly SealingKey[];
  nats: NatsSettings;
  quotas: Quotas;
  /** Whether a guest makes the change. */
  guest: boolean;
  change: Change;
}
