/**
 * Deleting a project: the regions are asked whether they hold anything of it, and what a failure interrupts the
 * schedule completes. Not the statements (db/identity/projects.ts), nor what a request is answered.
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
import type { Config } from '../env.ts';
import { innermost } from '../errors.ts';
import { runJob, shuffled } from '../schedule.ts';
import { scheduledChange, sweepProject } from '../sweep.ts';

/** What a region still holds of a project. */
export interface Held {
  region: string;
  products: Holding['product'][];
}

/** Why a project was not deleted. `unsettled`: these regions did not respond, or the schedule was faster. */
export type Kept =
  | { ok: false; reason: 'not_found' | 'only_one' }
  | { ok: false; reason: 'unsettled'; regions: string[] }
  | { ok: false; reason: 'held'; held: Held[] };

/** Deletes a project of which no region holds anything. Otherwise it stays, or is active again. */
export async function deleteProject(
  config: Config,
  identity: Database,
  change: Change,
  ref: ProjectRef,
): Promise<{ ok: true } | Kept> {
  const started = await startDeletion(identity, change.now, ref);
  return started.ok ? settle(config, identity, change, started.deletion) : started;
}

/** Brings a deletion to its end, one or the other. */
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

/** A deletion that has not ended for so long was cut off: a request takes seconds. */
const CUT_OFF_MS = 60_000;

/** For so long a deleted project is looked after: a creation that was on its way at its deletion has long arrived. */
const REMEMBERED_MS = 3600_000;

const PORTION = 500;

/**
 * Completes the deletions that were cut off, removes what creations at the very moment of a deletion left in the
 * regions, and forgets the deleted projects of which nothing can come any more. Works until `deadline` (milliseconds
 * since the epoch). Rejects at the end when one could not be settled, which is logged with its id and keeps no other.
 */
export async function settleProjects(config: Config, deadline: number): Promise<void> {
  const identity = openDatabase(config.identity);
  let well = true;
  for (const project of shuffled(await listUnsettled(identity, PORTION))) {
    if (Date.now() > deadline) break;
    const settled = await runJob(`settle project ${project.id}`, 'identity', () =>
      settleProject(config, identity, project, deadline),
    );
    well = well && settled;
  }
  if (!well) throw new Error('A project could not be settled');
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
  // Taken before the sweep, so that the sweep that ends it has seen all that could come.
  const settled = Date.now() - updatedAt > REMEMBERED_MS;
  const swept = await Promise.allSettled(
    [...config.regions.values()].map((region) => sweepProject(config, region, id, deadline)),
  );
  const failed = swept.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  const done = swept.every((one) => one.status === 'fulfilled' && one.value);
  if (settled && done) await removeProject(identity, scheduledChange(), id);
}
