/**
 * Deletes everything that a deleted project has in a region. The changes are the same that a user could make, and the
 * audit trail shows them as the system's. It can be interrupted at any point and restarted.
 */
import { openDatabase } from '../../db/database.ts';
import { deleteAccount, listAccounts } from '../../db/region/accounts.ts';
import { listProductsInUse } from '../../db/region/holdings.ts';
import { deactivateService } from '../../db/region/services.ts';
import { cleanUp } from '../gateway/cleanup.ts';
import { announce } from '../guard/announce.ts';
import { publishAndReport } from '../nats/publication.ts';
import type { Config, Region } from '../shared/env.ts';
import { runJob } from '../shared/jobs.ts';
import { systemAuditContext } from '../shared/write-context.ts';

/**
 * Deactivates a project's products in the region and deletes its NATS accounts, until `deadline` (milliseconds since
 * the epoch). Resolves to whether nothing is left in the region's database; resources on the engine are deleted when
 * the schedule has cleaned up. Rejects if the database is unavailable.
 */
export async function purgeProjectFromRegion(
  config: Config,
  region: Region,
  projectId: string,
  deadline: number,
): Promise<boolean> {
  const regionDb = openDatabase(region.database);
  for (const { product, organizationId } of await listProductsInUse(regionDb, projectId)) {
    if (product === 'nats') {
      if (!(await purgeAccounts(config, region, projectId, deadline))) return false;
      continue;
    }
    const service = { product, organizationId, projectId };
    const ended = await deactivateService(regionDb, systemAuditContext(), service);
    if (ended) await (await announce(config, region, ended.accessKeys)).rest;
    if (ended?.leftovers) await cleanUp(region, { projectId, product }, deadline);
  }
  return true;
}

const BATCH_SIZE = 20;

async function purgeAccounts(
  config: Config,
  region: Region,
  projectId: string,
  deadline: number,
): Promise<boolean> {
  const regionDb = openDatabase(region.database);
  // Accounts that cannot be deleted stay in the list, so skip them.
  let failed = 0;
  while (Date.now() < deadline) {
    const page = { offset: failed, limit: BATCH_SIZE, by: 'created_at', direction: 'asc' } as const;
    const { rows } = await listAccounts(regionDb, [projectId], page);
    const deleted = await Promise.all(
      rows.map(({ id }) =>
        runJob(`delete NATS account ${id}`, region.name, async () => {
          const gone = await deleteAccount(regionDb, systemAuditContext(), { id, projectIds: [projectId] });
          if (gone) await publishAndReport(config, { region: region.name, account: id, user: '*' });
        }),
      ),
    );
    failed += deleted.filter((one) => !one).length;
    if (rows.length < BATCH_SIZE) return failed === 0;
  }
  return false;
}
