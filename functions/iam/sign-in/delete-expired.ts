/**
 * Deletes expired sessions, tokens and invitations on a schedule. It does not enforce expiry: every use checks it.
 * API keys stay; authenticate.ts refuses them.
 */
import type { D1Database } from '@cloudflare/workers-types';
import { openDatabase } from '../../../db/database.ts';
import { deleteExpiredRows } from '../../../db/identity/delete-expired.ts';

/** Keep expired invitations for 30 days so that their links say "expired" instead of "not found". */
const EXPIRED_INVITATION_RETENTION_MS = 30 * 24 * 3600 * 1000;

const BATCH_SIZE = 500;

/** Deletes expired sessions, one-time tokens and invitations until `deadline` (milliseconds since the epoch). */
export async function deleteExpiredRecords(identity: D1Database, deadline: number): Promise<void> {
  const db = openDatabase(identity);
  const now = Date.now();
  const ends = { sessions: now, verifications: now, invitations: now - EXPIRED_INVITATION_RETENTION_MS };
  let deleted = BATCH_SIZE;
  while (deleted === BATCH_SIZE && Date.now() < deadline)
    deleted = await deleteExpiredRows(db, ends, BATCH_SIZE);
}
