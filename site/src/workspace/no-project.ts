/** Why a form has no project to work in. Loaded when that is so. */
import type { Problem } from '../api/errors.ts';

const NO_PROJECT =
  'You are signed in, but you have no access to a project. Ask an Owner of the organization for a policy with MessagingAndQueuingFullAccess in a project.';

/**
 * Says in the drop-down of projects under `root` why it offers none: for this problem, or because there is none. The result
 * is the problem to show.
 */
export function explainNoProject(root: ParentNode, problem?: Problem): Problem {
  // To somebody who may do nothing anywhere, the permission to list projects would be of no use.
  const none = !problem || problem.kind === 'denied';
  const select = root.querySelector<HTMLSelectElement>('select[name="project"]');
  const why = none ? 'None' : problem.kind === 'signed-out' ? 'Sign in to see projects' : 'Not loaded';
  select?.replaceChildren(new Option(why, ''));
  if (select) select.disabled = true;
  return none ? { kind: 'refused', message: NO_PROJECT } : problem;
}
