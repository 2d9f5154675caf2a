import { type Project, projects } from '../api/api.ts';
import { fetchAllPages, type Result } from '../api/request.ts';

/** Lists all projects that the reader has access to, in one organization or in all. */
export function listProjects(organization?: string): Promise<Result<Project[]>> {
  const of = organization ? { organization_id: organization } : {};
  return fetchAllPages(
    (query) => projects.$get({ query: { ...of, ...query } }),
    (body) => body.projects,
  );
}
