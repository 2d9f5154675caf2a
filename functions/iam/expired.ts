/** Forgets what has expired: for the schedule. That nothing expired is honoured is asked where it is used. */
import type { D1Database } from '@cloudflare/workers-types';
import { openDatabase } from '../../db/database.ts';
import { forgetExpired } from '../../db/identity/expired.ts';

/** For so long whoever opens the link of an expired invitation is told that it has expired, rather than that there is none. */
const TOLD_MS = 30 * 24 * 3600 * 1000;

const PORTION = 500;

/** Forgets sessions, one-time tokens and invitations whose time is over, until `deadline` (milliseconds since the epoch). */
export async function endExpired(identity: D1Database, deadline: number): Promise<void> {
  const db = openDatabase(identity);
  const now = Date.now();
  const ends = { sessions: now, verifications: now, invitations: now - TOLD_MS };
  let deleted = PORTION;
  while (deleted === PORTION && Date.now() < deadline) deleted = await forgetExpired(db, ends, PORTION);
}
