/** Shows why a form has no projects. Loaded in that case only. */
import type { Problem } from '../api/errors.ts';

const NO_PROJECT =
  'You are signed in, but you have no access to a project. Ask an Owner of the organization for a policy with MessagingAndQueuingFullAccess in a project.';

/** Shows in the drop-down of projects under `root` why it is empty. Returns the problem for the form. */
export function explainNoProject(root: ParentNode, problem?: Problem): Problem {
  // Without any permissions, permission to list projects would not help.
  const none = !problem || problem.kind === 'denied';
  const select = root.querySelector<HTMLSelectElement>('select[name="project"]');
  const why = none ? 'None' : problem.kind === 'signed-out' ? 'Sign in to see projects' : 'Not loaded';
  select?.replaceChildren(new Option(why, ''));
  if (select) select.disabled = true;
  return none ? { kind: 'refused', message: NO_PROJECT } : problem;
}
