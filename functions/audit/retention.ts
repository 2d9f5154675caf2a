/** Ends what is older than the deployment keeps of the audit trail: the one way in which a row of it goes. */
import type { D1Database } from '@cloudflare/workers-types';
import { forgetAuditEvents } from '../../db/audit.ts';
import { openDatabase } from '../../db/database.ts';
import type { Config } from '../env.ts';

const DAY_MS = 24 * 3600 * 1000;
const PORTION = 500;

/** How long a run of the schedule may delete in one database, in milliseconds. The next goes on with it. */
const DEADLINE_MS = 20_000;

/** Deletes the rows of a database's audit trail that are older than the setting allows, in portions. */
export async function forgetOld({ audit }: Pick<Config, 'audit'>, database: D1Database): Promise<void> {
  if (audit.retention_days === 0) return;
  const now = Date.now();
  const store = openDatabase(database);
  let deleted = PORTION;
  while (deleted === PORTION && Date.now() < now + DEADLINE_MS) {
    deleted = await forgetAuditEvents(store, now - audit.retention_days * DAY_MS, PORTION);
  }
}
