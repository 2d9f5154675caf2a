/** What every form begins with: who is at the browser, and the projects that are open to them. Asked once for each page. */
import type { Result } from './answers.ts';
import type { Project } from './api.ts';
import { type ChosenPlace, offerProjects } from './place-fields.ts';
import type { Problem } from './problems.ts';
import { projectsOf } from './projects-of.ts';
import { currentSession, SESSION_CHANGED } from './session.ts';

/** Where a form can work, or why it cannot. */
export type Opened = { ok: true; place: ChosenPlace } | { ok: false; problem: Problem };

const NO_PROJECT =
  'You are signed in, but no project is open to you. A policy with MessagingAndQueuingFullAccess in a project opens one for all of this: ask an Owner of the organization for it.';

const noProject: Opened = { ok: false, problem: { kind: 'refused', message: NO_PROJECT } };

let listed: Promise<Result<Project[]>> | undefined;
document.addEventListener(SESSION_CHANGED, () => (listed = undefined));

/** Offers the reader's projects in the drop-downs under `root` and settles the place. A failure is not kept. */
export async function openPlace(root: ParentNode): Promise<Opened> {
  const session = await currentSession();
  if (!session.ok) return session;
  if (!session.body) return { ok: false, problem: { kind: 'signed-out' } };
  listed ??= projectsOf();
  const result = await listed;
  if (!result.ok) {
    listed = undefined;
    // Who may do nothing anywhere would be told to ask for the sight of projects, and then be no further.
    return result.problem.kind === 'denied' ? noProject : result;
  }
  const open = result.body;
  if (open.length === 0) return noProject;
  return { ok: true, place: offerProjects(root, open, await optionsOf(open)) };
}

async function optionsOf(open: Project[]): Promise<HTMLElement[]> {
  const several = open.some(({ organization_id }) => organization_id !== open[0]?.organization_id);
  const code = several && (await import('./grouped-projects.ts').catch(() => undefined));
  return code ? code.groupedProjects(open) : open.map(({ id, name }) => new Option(name, id));
}
