/** Loads the reader's projects. Requested once per page. */

import type { Project } from '../api/api.ts';
import type { Problem } from '../api/errors.ts';
import type { Result } from '../api/request.ts';
import { currentSession, SESSION_CHANGED } from '../api/session.ts';
import { listProjects } from './list-projects.ts';
import { fillProjectOptions, type ProjectRegion } from './project-region-fields.ts';

export type Opened = { ok: true; selection: ProjectRegion } | { ok: false; problem: Problem };

let projectsRequest: Promise<Result<Project[]>> | undefined;
document.addEventListener(SESSION_CHANGED, () => (projectsRequest = undefined));

/** Fills the drop-downs under `root` with the reader's projects, and returns the selection. Failures are not cached. */
export async function loadProject(root: ParentNode): Promise<Opened> {
  const session = await currentSession();
  if (!session.ok) return refuse(root, session.problem);
  if (!session.body) return refuse(root, { kind: 'signed-out' });
  projectsRequest ??= listProjects();
  const result = await projectsRequest;
  if (!result.ok) {
    projectsRequest = undefined;
    return refuse(root, result.problem);
  }
  const open = result.body;
  if (open.length === 0) return refuse(root);
  return { ok: true, selection: await fillOptions(root, open) };
}

/** Shows under `root` why there are no projects: because of a problem, or because there are none. */
async function refuse(root: ParentNode, problem?: Problem): Promise<Opened> {
  // The markup already asks signed-out readers to sign in.
  const offered = root.querySelector<HTMLSelectElement>('select[name="project"]')?.disabled === false;
  const code =
    problem?.kind === 'signed-out' && !offered
      ? undefined
      : await import('./no-project.ts').catch(() => undefined);
  return { ok: false, problem: code?.explainNoProject(root, problem) ?? problem ?? { kind: 'unreachable' } };
}

async function fillOptions(root: ParentNode, open: Project[]): Promise<ProjectRegion> {
  const several = open.some(({ organization_id }) => organization_id !== open[0]?.organization_id);
  const code = several ? await import('./project-options.ts').catch(() => undefined) : undefined;
  const options = code ? await code.groupedProjects(open) : open.map(({ id, name }) => new Option(name, id));
  const selection = fillProjectOptions(root, open, options);
  if (code) code.nameChosen(root);
  return selection;
}
