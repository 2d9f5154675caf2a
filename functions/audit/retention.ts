/** Deletes audit events past the retention period. Nothing else deletes them. */
import type { D1Database } from '@cloudflare/workers-types';
import { deleteAuditEventsBefore } from '../../db/audit.ts';
import { openDatabase } from '../../db/database.ts';
import type { Config } from '../shared/env.ts';

const DAY_MS = 24 * 3600 * 1000;
const BATCH_SIZE = 500;

/** The time limit per database and run, in milliseconds. The next run continues. */
const DEADLINE_MS = 20_000;

/** Deletes the audit events of a database past the retention period, in batches. */
export async function deleteOldAuditEvents(
  { audit }: Pick<Config, 'audit'>,
  database: D1Database,
): Promise<void> {
  if (audit.retention_days === 0) return;
  const now = Date.now();
  const db = openDatabase(database);
  let deleted = BATCH_SIZE;
  while (deleted === BATCH_SIZE && Date.now() < now + DEADLINE_MS) {
    deleted = await deleteAuditEventsBefore(db, now - audit.retention_days * DAY_MS, BATCH_SIZE);
  }
}
