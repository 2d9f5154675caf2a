/** The element `<iam-api-keys>`: lists, creates and deletes API keys. */

import { type ApiKey, iam } from '../../api/api.ts';
import { type PageQuery, sliceOf } from '../../api/request.ts';
import { success } from '../../ui/panels/notice.ts';
import type { Row } from '../list/list-panel.ts';
import { type Context, OrganizationList } from '../list/organization-list.ts';
import { listPrincipals, type Principal, principalName } from './principals.ts';

const actions = () => import('./iam-api-keys.actions.ts');

class IamApiKeys extends OrganizationList<ApiKey> {
  protected readonly panel = 'api-keys';
  #principals: Principal[] = [];

  protected async read({ organization }: Context, page: PageQuery, init: RequestInit) {
    const query = {
      organization_id: organization.id,
      order_by: 'created_at_desc',
      ...page,
    } as const;
    const [result, principals] = await Promise.all([
      sliceOf(
        () => iam['api-keys'].$get({ query }, { init }),
        (body) => body.api_keys,
      ),
      listPrincipals(organization.id, page.page === '1'),
    ]);
    if (this.context.organization === organization) this.#principals = principals;
    return result;
  }

  protected describe(key: ApiKey, { principal }: Context): Row {
    const bearer = this.#bearerOf(key);
    return {
      id: key.access_key,
      name: key.access_key,
      sub: key.description,
      texts: { bearer: key.user_id === principal.id ? `${bearer} (you)` : bearer },
      times: {
        created: key.created_at,
        used: key.last_used_at ?? { none: 'never' },
        expires: key.expires_at ?? { none: 'never' },
      },
      menu: {
        delete: (button) =>
          this.act(button, actions(), async ({ remove }) => {
            const notice = await remove(this, key, bearer);
            if (notice) await this.done(notice);
          }),
      },
    };
  }

  protected create(context: Context, button: HTMLElement): Promise<void> {
    return this.act(button, actions(), async ({ create, showSecret }) => {
      const principals = await listPrincipals(context.organization.id, true);
      const issued = await create(this, context, principals);
      if (!issued) return;
      await showSecret(this, issued);
      await this.load();
      this.list.announceNew(success(`Created ${issued.access_key}.`), issued.access_key);
    });
  }

  #bearerOf({ user_id, application_id }: ApiKey): string {
    return principalName(this.#principals, user_id ?? application_id ?? '');
  }
}

customElements.define('iam-api-keys', IamApiKeys);
