/**
 * Ends credentials by schedule: disabled ones that are due to be revoked, ones that expired long ago, and the previous
 * keys of rotations.
 */
import { openDatabase } from '../../db/database.ts';
import { type DueCredential, listDueCredentials, revokeCredential } from '../../db/region/credentials.ts';
import { endRotation, listDueRotations } from '../../db/region/rotations.ts';
import { announce } from '../guard/announce.ts';
import { publishAndReport } from '../nats/publication.ts';
import type { Config, Region } from '../shared/env.ts';
import { forEachConcurrent } from '../shared/jobs.ts';
import { systemAuditContext } from '../shared/write-context.ts';
import { keysOf } from './handlers.ts';

const BATCH_SIZE = 200;
const CONCURRENCY = 6;
const DAY_MS = 86_400_000;

/** Revokes a run's share of a region's due credentials, until `deadline` (milliseconds since the epoch). */
export async function endDueCredentials(config: Config, region: Region, deadline: number): Promise<void> {
  const regionDb = openDatabase(region.database);
  const now = Date.now();
  const expired = now - config.credentials.keep_expired_days * DAY_MS;
  const due = await listDueCredentials(regionDb, now, expired, BATCH_SIZE);
  const byId = new Map(due.map((one) => [one.id, one]));
  const limits = { atOnce: CONCURRENCY, deadline };
  await forEachConcurrent('end credentials', region.name, [...byId.keys()], limits, async (id) => {
    const { product, projectId, natsAccountId } = byId.get(id) as DueCredential;
    // They can have been enabled or changed since they were listed.
    const ref = { id, product, projectIds: [projectId], due: { now, expired } };
    const revoked = await revokeCredential(regionDb, systemAuditContext(), ref);
    if (!revoked) return;
    await enforce(config, region, natsAccountId, keysOf(revoked.key, revoked.rotation));
  });
  const rotations = await listDueRotations(regionDb, now, BATCH_SIZE);
  const byRotation = new Map(rotations.map((one) => [one.id, one]));
  await forEachConcurrent('end rotations', region.name, [...byRotation.keys()], limits, async (id) => {
    const { product, projectId, natsAccountId } = byRotation.get(id) as DueCredential;
    const ref = { id, product, projectIds: [projectId] };
    const ended = await endRotation(regionDb, systemAuditContext(), ref, 'previous', true);
    if (ended) await enforce(config, region, natsAccountId, [ended.endedKey]);
  });
}

async function enforce(
  config: Config,
  region: Region,
  account: string | null,
  keys: readonly string[],
): Promise<void> {
  if (account === null) await (await announce(config, region, keys)).rest;
  else await publishAndReport(config, { region: region.name, account, user: keys[0] ?? null });
}
