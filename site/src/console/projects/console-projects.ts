/** The element `<console-projects>`: lists, creates, renames and deletes projects. */

import { type Project, projects } from '../../api/api.ts';
import { type PageQuery, sliceOf } from '../../api/request.ts';
import { success } from '../../ui/panels/notice.ts';
import { choose } from '../../workspace/selection.ts';
import type { Row } from '../list/list-panel.ts';
import { type Context, OrganizationList } from '../list/organization-list.ts';

const actions = () => import('./console-projects.actions.ts');

class ConsoleProjects extends OrganizationList<Project> {
  protected readonly panel = 'projects';

  protected read({ organization }: Context, page: PageQuery, init: RequestInit) {
    const query = { organization_id: organization.id, ...page };
    return sliceOf(
      () => projects.$get({ query }, { init }),
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
        rename: (button) =>
          this.act(button, actions(), async ({ rename }) => {
            const renamed = await rename(this, project);
            if (renamed) await this.done(success(`Saved ${renamed.name}.`), renamed.id);
          }),
        delete: (button) =>
          this.act(button, actions(), async ({ remove }) => {
            const notice = await remove(this, project);
            if (notice) await this.done(notice);
          }),
      },
    };
  }

  protected create({ organization }: Context, button: HTMLElement): Promise<void> {
    return this.act(button, actions(), async ({ create }) => {
      const created = await create(this, organization.id);
      if (created) await this.done(success(`Created ${created.name}.`), created.id);
    });
  }
}

customElements.define('console-projects', ConsoleProjects);
