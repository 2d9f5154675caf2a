/**
 * Deletes a project: asks every region whether it still holds resources, and resumes interrupted deletions on a
 * schedule. The SQL is in db/identity/projects.ts and the responses in project-routes.ts.
 */
import type { Change } from '../../db/audit.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import {
  cancelDeletion,
  type Deletion,
  finishDeletion,
  listUnsettled,
  type Project,
  type ProjectRef,
  removeProject,
  startDeletion,
} from '../../db/identity/projects.ts';
import { type Holding, listHoldings } from '../../db/region/holdings.ts';
import type { Config } from '../shared/env.ts';
import { innermost } from '../shared/errors.ts';
import { runJob, shuffled } from '../shared/jobs.ts';
import { scheduledChange, sweepProject } from './purge-project.ts';

/** What a region still holds of a project. */
export interface Held {
  region: string;
  products: Holding['product'][];
}

/** Why a project was not deleted. `unsettled`: these regions did not respond, or the scheduled job finished first. */
export type Kept =
  | { ok: false; reason: 'not_found' | 'only_one' }
  | { ok: false; reason: 'unsettled'; regions: string[] }
  | { ok: false; reason: 'held'; held: Held[] };

/** Deletes a project if no region holds resources of it; otherwise the project stays active. */
export async function deleteProject(
  config: Config,
  identity: Database,
  change: Change,
  ref: ProjectRef,
): Promise<{ ok: true } | Kept> {
  const started = await startDeletion(identity, change.now, ref);
  return started.ok ? settle(config, identity, change, started.deletion) : started;
}

/** Finishes the deletion, or cancels it if a region still holds resources or cannot be asked. */
async function settle(
  config: Config,
  identity: Database,
  change: Change,
  deletion: Deletion,
): Promise<{ ok: true } | Kept> {
  const regions = [...config.regions.values()];
  const answers = await Promise.allSettled(
    regions.map(({ database }) => listHoldings(openDatabase(database), deletion.id)),
  );
  const held = answers.flatMap((answer, at) =>
    answer.status === 'fulfilled' && answer.value.length > 0
      ? [{ region: regions[at]?.name ?? '', products: answer.value.map(({ product }) => product) }]
      : [],
  );
  const failed = answers.flatMap((answer, at) => {
    if (answer.status === 'fulfilled') return [];
    const region = regions[at]?.name ?? '';
    console.error(JSON.stringify({ request_id: change.requestId, region, ...innermost(answer.reason) }));
    return [region];
  });
  if (held.length > 0 || failed.length > 0) {
    await cancelDeletion(identity, deletion);
    if (held.length > 0) return { ok: false, reason: 'held', held };
    return { ok: false, reason: 'unsettled', regions: failed };
  }
  return (await finishDeletion(identity, change, deletion))
    ? { ok: true }
    : { ok: false, reason: 'unsettled', regions: [] };
}

/** A deletion older than this was interrupted: a request takes seconds. */
const CUT_OFF_MS = 60_000;

/** How long to keep purging a deleted project, for creations that raced its deletion. */
const REMEMBERED_MS = 3600_000;

const PORTION = 500;

/**
 * Resumes interrupted deletions, removes what creations left in the regions while their project was deleted, and
 * removes the rows of deleted projects that nothing can reach any more. Works until `deadline` (milliseconds since the
 * epoch). A project that fails is logged with its id; the others still run, and the promise rejects at the end.
 */
export async function settleProjects(config: Config, deadline: number): Promise<void> {
  const identity = openDatabase(config.identity);
  let well = true;
  for (const project of shuffled(await listUnsettled(identity, PORTION))) {
    if (Date.now() > deadline) break;
    const settled = await runJob(`project deletion ${project.id}`, 'identity', () =>
      settleProject(config, identity, project, deadline),
    );
    well = well && settled;
  }
  if (!well) throw new Error('The deletion of a project could not be finished');
}

async function settleProject(
  config: Config,
  identity: Database,
  project: Project,
  deadline: number,
): Promise<void> {
  if (project.status === 'deleted') return sweepDeleted(config, identity, project, deadline);
  if (Date.now() - project.updatedAt <= CUT_OFF_MS) return;
  const { id, updatedAt: since } = project;
  await settle(config, identity, scheduledChange(), { id, since });
}

async function sweepDeleted(
  config: Config,
  identity: Database,
  { id, updatedAt }: Project,
  deadline: number,
): Promise<void> {
  // Computed before the purge, so that the final purge starts after all late writes have arrived.
  const settled = Date.now() - updatedAt > REMEMBERED_MS;
  const swept = await Promise.allSettled(
    [...config.regions.values()].map((region) => sweepProject(config, region, id, deadline)),
  );
  const failed = swept.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  const done = swept.every((one) => one.status === 'fulfilled' && one.value);
  if (settled && done) await removeProject(identity, scheduledChange(), id);
}
