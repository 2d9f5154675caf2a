/** The projects that there are to choose from. */
import { askAll, type Result } from './answers.ts';
import { type Project, projects } from './api.ts';

/** The projects that are open to the reader, all of them: of one organization, or of every one. */
export function projectsOf(organization?: string): Promise<Result<Project[]>> {
  const of = organization ? { organization_id: organization } : {};
  return askAll(
    (query) => projects.$get({ query: { ...of, ...query } }),
    (body) => body.projects,
  );
}
