/** The element `<iam-applications>`: lists applications, and creates, renames and deletes them. */
import { type Application, iam } from '../../lib/api.ts';
import { type Context, listing, OrganizationList } from './organization-list.ts';
import type { Row } from './resource-list.ts';

const actions = () => import('./applications-actions.ts');

class IamApplications extends OrganizationList<Application> {
  protected readonly panel = 'applications';

  protected read({ organization }: Context, page: number) {
    const query = { organization_id: organization.id, page: `${page}`, page_size: '50' };
    return listing(
      this.latest.ask((init) => iam.applications.$get({ query }, { init })),
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
        rename: () =>
          this.act(actions(), async ({ rename }) => {
            const renamed = await rename(this, application);
            if (renamed) await this.done(`Saved ${renamed.name}.`, renamed.id);
          }),
        delete: () =>
          this.act(actions(), async ({ remove }) => {
            const notice = await remove(this, application);
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

customElements.define('iam-applications', IamApplications);
