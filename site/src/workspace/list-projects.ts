/** The projects that there are to choose from. */

import { type Project, projects } from '../api/api.ts';
import { fetchAllPages, type Result } from '../api/request.ts';

/** The projects that are open to the reader, all of them: of one organization, or of every one. */
export function listProjects(organization?: string): Promise<Result<Project[]>> {
  const of = organization ? { organization_id: organization } : {};
  return fetchAllPages(
    (query) => projects.$get({ query: { ...of, ...query } }),
    (body) => body.projects,
  );
}
