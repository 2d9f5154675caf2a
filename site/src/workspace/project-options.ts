/** Groups projects by organization. Loaded for members of several organizations. */
import type { Project } from '../api/api.ts';
import { loadOrganization } from './load-organization.ts';
import { SELECTION_CHANGED } from './selection.ts';

/**
 * Returns the options of a drop-down of projects, with a group for each organization. Groups of unknown organizations have
 * the id as label.
 */
export async function groupedProjects(projects: readonly Project[]): Promise<HTMLElement[]> {
  const opened = await loadOrganization();
  const known = opened.ok ? opened.principal.organizations : [];
  return [...Map.groupBy(projects, ({ organization_id }) => organization_id)].map(([id, own]) => {
    const group = document.createElement('optgroup');
    group.label = known.find((organization) => organization.id === id)?.name || id;
    group.append(...own.map((project) => new Option(project.name, project.id)));
    return group;
  });
}

/** Shows the chosen project's organization next to the label, because a closed drop-down does not show groups. */
function nameOrganization(root: ParentNode): void {
  const select = root.querySelector<HTMLSelectElement>('select[name="project"]');
  const group = select?.selectedOptions[0]?.closest('optgroup');
  const node = select?.labels[0]?.querySelector('span');
  if (node) node.textContent = group ? ` of ${group.label}` : '';
}

const named = new WeakSet<ParentNode>();

/** Shows the organization of the chosen project, now and whenever another one is chosen. */
export function nameChosen(root: ParentNode): void {
  nameOrganization(root);
  if (named.has(root)) return;
  named.add(root);
  document.addEventListener(SELECTION_CHANGED, () => nameOrganization(root));
}
