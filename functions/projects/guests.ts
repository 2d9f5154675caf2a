/**
 * Guests try the product without an account, where the operator allows it. A guest gets a project and a session that
 * expire together, and everything they created is deleted then. Their permissions are those of a member with the three
 * products in one project, and nothing else.
 */
import type { Context } from 'hono';
import { Hono } from 'hono';
import { type Database, openDatabase } from '../../db/database.ts';
import { createGuest, deleteGuest, listExpiredGuests } from '../../db/identity/guests.ts';
import type { PermissionSetName } from '../iam/access/permission-sets.ts';
import { newSession, onlySameOrigin, setSessionToken } from '../iam/sign-in/session-cookie.ts';
import type { Config } from '../shared/env.ts';
import { ApiError } from '../shared/errors.ts';
import { type AppEnv, apiTime } from '../shared/http.ts';
import { runJob, shuffled } from '../shared/jobs.ts';
import { limitVisitors } from '../shared/rate-limits.ts';
import { auditContextOf, systemAuditContext } from '../shared/write-context.ts';
import { purgeProjectFromRegion } from './purge-project.ts';

const PERMISSION_SET: PermissionSetName = 'MessagingAndQueuingFullAccess';

async function startGuestSession(c: Context<AppEnv>): Promise<Response> {
  const { guests, identity } = c.get('config');
  if (!guests.enabled) throw new ApiError('not_found', { resource: 'endpoint', resource_id: c.req.path });
  const now = Date.now();
  const expiresAt = now + guests.minutes * 60_000;
  const [organizationId, userId, projectId] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  const session = newSession(c, expiresAt);
  const audit = auditContextOf(c, { type: 'user', id: userId, accessKey: null });
  const ids = { organizationId, userId, projectId };
  const guest = { ...ids, session, permissionSet: PERMISSION_SET };
  if (!(await createGuest(openDatabase(identity), audit, guest, guests.most))) {
    throw new ApiError('too_many_requests', {}, { 'Retry-After': '300' });
  }
  await setSessionToken(c, session.token, guests.minutes * 60);
  return c.json({
    organization_id: organizationId,
    project_id: projectId,
    expires_at: apiTime(expiresAt),
  });
}

/** Grace period after expiry: a request authorized before it may still be writing. */
const GRACE_PERIOD_MS = 60_000;

/**
 * Removes expired guests: first their resources in the regions, then, after the grace period of at least a minute,
 * their records in the identity database. Work interrupted by `deadline` (milliseconds since the epoch) resumes on the
 * next call. A guest that fails is logged with its id and retried on the next call; the others still run, and the
 * promise rejects at the end.
 */
export async function deleteExpiredGuests(config: Config, deadline: number): Promise<void> {
  const identityDb = openDatabase(config.identity);
  let well = true;
  for (const guest of shuffled(await listExpiredGuests(identityDb, Date.now(), BATCH_SIZE))) {
    const ended = await runJob(`expired guest ${guest.organizationId}`, 'identity', () =>
      deleteExpiredGuest(config, identityDb, guest, deadline),
    );
    well = well && ended;
  }
  if (!well) throw new Error('Resources of expired guests could not be deleted');
}

async function deleteExpiredGuest(
  config: Config,
  identityDb: Database,
  { organizationId, projectIds, expiresAt }: Awaited<ReturnType<typeof listExpiredGuests>>[number],
  deadline: number,
): Promise<void> {
  // Computed before the purge, so that the final purge starts after all late writes have arrived.
  const settled = Date.now() - expiresAt > GRACE_PERIOD_MS;
  const places = projectIds.flatMap((id) => [...config.regions.values()].map((region) => ({ id, region })));
  const swept = await Promise.allSettled(
    places.map(({ id, region }) => purgeProjectFromRegion(config, region, id, deadline)),
  );
  const failures = swept.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  if (failures.length > 0) throw new AggregateError(failures, 'A region could not be cleaned up');
  const done = swept.every((one) => one.status === 'fulfilled' && one.value);
  if (settled && done) await deleteGuest(identityDb, systemAuditContext(), organizationId);
}

const BATCH_SIZE = 50;

/** `GET /auth/guest` returns whether guests are allowed and for how long; `POST` creates one. */
export const guestRoutes = new Hono<AppEnv>()
  .get('/guest', (c) => {
    const { enabled, minutes } = c.get('config').guests;
    return c.json({ enabled, minutes });
  })
  .post('/guest', onlySameOrigin, limitVisitors, startGuestSession);
