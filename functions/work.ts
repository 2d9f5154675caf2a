/** What the domain needs to change a region: passed in, so that no domain function sees a request. */
import type { Change } from '../db/audit.ts';
import type { Database } from '../db/database.ts';
import type { NatsSettings, Quotas, Region, SealingKey } from './env.ts';

/** One change in one region. */
export interface Work {
  store: Database;
  region: Region;
  sealingKeys: readonly SealingKey[];
  nats: NatsSettings;
  quotas: Quotas;
  /** Whether it is a guest's. */
  guest: boolean;
  change: Change;
}
