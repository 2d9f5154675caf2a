/** Ends credentials by schedule: disabled ones that are due to be revoked, and ones that expired long ago. */
import { openDatabase } from '../../db/database.ts';
import { type DueCredential, listDueCredentials, revokeCredential } from '../../db/region/credentials.ts';
import { announce } from '../guard/announce.ts';
import { publishAndReport } from '../nats/publication.ts';
import type { Config, Region } from '../shared/env.ts';
import { forEachConcurrent } from '../shared/jobs.ts';
import { systemAuditContext } from '../shared/write-context.ts';

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
    if (natsAccountId === null) await (await announce(config, region, [revoked.key])).rest;
    else await publishAndReport(config, { region: region.name, account: natsAccountId, user: revoked.key });
  });
}
