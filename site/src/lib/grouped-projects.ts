/** The projects of who belongs to several organizations, by organization. Loaded for them alone. */
import type { Project } from './api.ts';
import { openOrganization } from './open-organization.ts';

/** The options of a drop-down of projects, in a group for each organization; one whose name is not told has its id. */
export async function groupedProjects(projects: readonly Project[]): Promise<HTMLElement[]> {
  const opened = await openOrganization();
  const known = opened.ok ? opened.principal.organizations : [];
  return [...Map.groupBy(projects, ({ organization_id }) => organization_id)].map(([id, own]) => {
    const group = document.createElement('optgroup');
    group.label = known.find((organization) => organization.id === id)?.name || id;
    group.append(...own.map((project) => new Option(project.name, project.id)));
    return group;
  });
}
