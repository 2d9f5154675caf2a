/**
 * Deletes a project: asks every region whether it still holds resources, and resumes interrupted deletions on a
 * schedule. The SQL is in db/identity/projects.ts and the responses in project-routes.ts.
 */
import type { AuditContext } from '../../db/audit.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import {
  cancelDeletion,
  type Deletion,
  finishDeletion,
  listUnfinishedDeletions,
  type Project,
  type ProjectRef,
  removeProject,
  startDeletion,
} from '../../db/identity/projects.ts';
import { listProductsInUse, type ProductInUse } from '../../db/region/holdings.ts';
import type { Config } from '../shared/env.ts';
import { innermostCause } from '../shared/errors.ts';
import { runJob, shuffled } from '../shared/jobs.ts';
import { systemAuditContext } from '../shared/write-context.ts';
import { purgeProjectFromRegion } from './purge-project.ts';

/** What a region still holds of a project. */
export interface BlockingResources {
  region: string;
  products: ProductInUse['product'][];
}

/** Why a project was not deleted. `unsettled`: these regions did not respond, or the scheduled job finished first. */
export type DeletionRefused =
  | { ok: false; reason: 'not_found' | 'only_one' }
  | { ok: false; reason: 'unsettled'; regions: string[] }
  | { ok: false; reason: 'held'; held: BlockingResources[] };

/** Deletes a project if no region holds resources of it; otherwise the project stays active. */
export async function deleteProject(
  config: Config,
  identityDb: Database,
  audit: AuditContext,
  ref: ProjectRef,
): Promise<{ ok: true } | DeletionRefused> {
  const started = await startDeletion(identityDb, audit.now, ref);
  return started.ok ? finishOrCancelDeletion(config, identityDb, audit, started.deletion) : started;
}

/** Finishes the deletion, or cancels it if a region still holds resources or cannot be asked. */
async function finishOrCancelDeletion(
  config: Config,
  identityDb: Database,
  audit: AuditContext,
  deletion: Deletion,
): Promise<{ ok: true } | DeletionRefused> {
  const regions = [...config.regions.values()];
  const answers = await Promise.allSettled(
    regions.map(({ database }) => listProductsInUse(openDatabase(database), deletion.id)),
  );
  const held = answers.flatMap((answer, at) =>
    answer.status === 'fulfilled' && answer.value.length > 0
      ? [{ region: regions[at]?.name ?? '', products: answer.value.map(({ product }) => product) }]
      : [],
  );
  const failed = answers.flatMap((answer, at) => {
    if (answer.status === 'fulfilled') return [];
    const region = regions[at]?.name ?? '';
    console.error(JSON.stringify({ request_id: audit.requestId, region, ...innermostCause(answer.reason) }));
    return [region];
  });
  if (held.length > 0 || failed.length > 0) {
    await cancelDeletion(identityDb, deletion);
    if (held.length > 0) return { ok: false, reason: 'held', held };
    return { ok: false, reason: 'unsettled', regions: failed };
  }
  return (await finishDeletion(identityDb, audit, deletion))
    ? { ok: true }
    : { ok: false, reason: 'unsettled', regions: [] };
}

/** A deletion older than this was interrupted: a request takes seconds. */
const INTERRUPTED_AFTER_MS = 60_000;

/** How long to keep purging a deleted project, for creations that raced its deletion. */
const DELETED_PROJECT_RETENTION_MS = 3600_000;

const BATCH_SIZE = 500;

/**
 * Resumes interrupted deletions, removes what creations left in the regions while their project was deleted, and
 * removes the rows of deleted projects that nothing can reach any more. Works until `deadline` (milliseconds since the
 * epoch). A project that fails is logged with its id; the others still run, and the promise rejects at the end.
 */
export async function resumeProjectDeletions(config: Config, deadline: number): Promise<void> {
  const identityDb = openDatabase(config.identity);
  let well = true;
  for (const project of shuffled(await listUnfinishedDeletions(identityDb, BATCH_SIZE))) {
    if (Date.now() > deadline) break;
    const settled = await runJob(`project deletion ${project.id}`, 'identity', () =>
      resumeDeletion(config, identityDb, project, deadline),
    );
    well = well && settled;
  }
  if (!well) throw new Error('The deletion of a project could not be finished');
}

async function resumeDeletion(
  config: Config,
  identityDb: Database,
  project: Project,
  deadline: number,
): Promise<void> {
  if (project.status === 'deleted') return purgeDeletedProject(config, identityDb, project, deadline);
  if (Date.now() - project.updatedAt <= INTERRUPTED_AFTER_MS) return;
  const { id, updatedAt: since } = project;
  await finishOrCancelDeletion(config, identityDb, systemAuditContext(), { id, since });
}

async function purgeDeletedProject(
  config: Config,
  identityDb: Database,
  { id, updatedAt }: Project,
  deadline: number,
): Promise<void> {
  // Computed before the purge, so that the final purge starts after all late writes have arrived.
  const settled = Date.now() - updatedAt > DELETED_PROJECT_RETENTION_MS;
  const swept = await Promise.allSettled(
    [...config.regions.values()].map((region) => purgeProjectFromRegion(config, region, id, deadline)),
  );
  const failed = swept.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  const done = swept.every((one) => one.status === 'fulfilled' && one.value);
  if (settled && done) await removeProject(identityDb, systemAuditContext(), id);
}
