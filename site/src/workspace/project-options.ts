/** The projects of who belongs to several organizations, by organization. Loaded for them alone. */
import type { Project } from '../api/api.ts';
import { loadOrganization } from './load-organization.ts';
import { SELECTION_CHANGED } from './selection.ts';

/** The options of a drop-down of projects, in a group for each organization; one whose name is not told has its id. */
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

/** Says beside the label of a closed drop-down whose the chosen project is, where its options are grouped. */
function nameOrganization(root: ParentNode): void {
  const select = root.querySelector<HTMLSelectElement>('select[name="project"]');
  const group = select?.selectedOptions[0]?.closest('optgroup');
  const node = select?.labels[0]?.querySelector('span');
  if (node) node.textContent = group ? ` of ${group.label}` : '';
}

const named = new WeakSet<ParentNode>();

/** Names the organization of the chosen project, now and when another is chosen. */
export function nameChosen(root: ParentNode): void {
  nameOrganization(root);
  if (named.has(root)) return;
  named.add(root);
  document.addEventListener(SELECTION_CHANGED, () => nameOrganization(root));
}
