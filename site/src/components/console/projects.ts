/** The element `<console-projects>`: lists projects, and creates, renames and deletes them. */
import { type Project, projects } from '../../lib/api.ts';
import { choose } from '../../lib/place.ts';
import { type Context, listing, OrganizationList } from './organization-list.ts';
import type { Row } from './resource-list.ts';

const actions = () => import('./projects-actions.ts');

class ConsoleProjects extends OrganizationList<Project> {
  protected readonly panel = 'projects';

  protected read({ organization }: Context, page: number) {
    const query = { organization_id: organization.id, page: `${page}`, page_size: '50' };
    return listing(
      this.latest.ask((init) => projects.$get({ query }, { init })),
      (body) => body.projects,
    );
  }

  protected describe(project: Project): Row {
    return {
      id: project.id,
      name: project.name,
      sub: project.description,
      texts: { id: project.id },
      times: { created: project.created_at },
      menu: {
        open: () => {
          choose({ project: project.id });
          location.assign(`/console/?${new URLSearchParams({ project: project.id })}`);
        },
        rename: () =>
          this.act(actions(), async ({ rename }) => {
            const renamed = await rename(this, project);
            if (renamed) await this.done(`Saved ${renamed.name}.`, renamed.id);
          }),
        delete: () =>
          this.act(actions(), async ({ remove }) => {
            const notice = await remove(this, project);
            if (notice) await this.done(notice);
          }),
      },
    };
  }

  protected create({ organization }: Context): Promise<void> {
    return this.act(actions(), async ({ create }) => {
      const created = await create(this, organization.id);
      if (created) await this.done(`Created ${created.name}.`, created.id);
    });
  }
}

customElements.define('console-projects', ConsoleProjects);
