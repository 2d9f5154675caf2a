/** The element `<iam-applications>`: lists, creates, renames and deletes applications. */

import { type Application, iam } from '../../api/api.ts';
import { type PageQuery, sliceOf } from '../../api/request.ts';
import { success } from '../../ui/panels/notice.ts';
import type { Row } from '../list/list-panel.ts';
import { type Context, OrganizationList } from '../list/organization-list.ts';

const actions = () => import('./iam-applications.actions.ts');

class IamApplications extends OrganizationList<Application> {
  protected readonly panel = 'applications';

  protected read({ organization }: Context, page: PageQuery, init: RequestInit) {
    const query = { organization_id: organization.id, ...page };
    return sliceOf(
      () => iam.applications.$get({ query }, { init }),
      (body) => body.applications,
    );
  }

  protected describe(application: Application): Row {
    const { id, name, description, nb_api_keys: keys, created_at: created } = application;
    return {
      id,
      name,
      sub: description,
      texts: { id, keys: `${keys}` },
      times: { created },
      menu: {
        rename: (button) =>
          this.act(button, actions(), async ({ rename }) => {
            const renamed = await rename(this, application);
            if (renamed) await this.done(success(`Saved ${renamed.name}.`), renamed.id);
          }),
        delete: (button) =>
          this.act(button, actions(), async ({ remove }) => {
            const notice = await remove(this, application);
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

customElements.define('iam-applications', IamApplications);
