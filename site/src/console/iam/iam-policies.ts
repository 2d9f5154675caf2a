/** The element `<iam-policies>`: lists, creates, edits and deletes policies. */

import { iam, type Policy } from '../../api/api.ts';
import { type PageQuery, sliceOf } from '../../api/request.ts';
import { success } from '../../ui/panels/notice.ts';
import { pluralize } from '../../ui/pluralize.ts';
import type { Row } from '../list/list-panel.ts';
import { type Context, OrganizationList } from '../list/organization-list.ts';
import { listPrincipals, type Principal, principalName } from './principals.ts';

const actions = () => import('./iam-policies.actions.ts');

class IamPolicies extends OrganizationList<Policy> {
  protected readonly panel = 'policies';
  #principals: Principal[] = [];

  protected async read({ organization }: Context, page: PageQuery, init: RequestInit) {
    const query = { organization_id: organization.id, ...page };
    const [result, principals] = await Promise.all([
      sliceOf(
        () => iam.policies.$get({ query }, { init }),
        (body) => body.policies,
      ),
      listPrincipals(organization.id, page.page === '1'),
    ]);
    if (this.context.organization === organization) this.#principals = principals;
    return result;
  }

  protected describe(policy: Policy, context: Context): Row {
    const { id, name, description, nb_rules: rules, nb_permission_sets: sets } = policy;
    const principal = this.#principalOf(policy);
    const grants =
      rules === 0 ? 'Nothing' : `${pluralize(sets, 'permission set')} in ${pluralize(rules, 'rule')}`;
    return {
      id,
      name,
      sub: description,
      texts: { principal, grants },
      times: { updated: policy.updated_at },
      menu: {
        edit: (button) => this.#edit(button, context, policy),
        delete: (button) =>
          this.act(button, actions(), async ({ remove }) => {
            const notice = await remove(this, policy, principal);
            if (notice) await this.done(notice);
          }),
      },
    };
  }

  protected create(context: Context, button: HTMLElement): Promise<void> {
    return this.#edit(button, context);
  }

  #edit(button: HTMLElement, { organization }: Context, policy?: Policy): Promise<void> {
    return this.act(button, actions(), async ({ edit }) => {
      const principals = await listPrincipals(organization.id, true);
      const saved = await edit(this, organization.id, principals, policy);
      if (saved && 'kind' in saved) this.list.announce(saved);
      else if (saved) await this.done(success(`Saved ${saved.name}.`), saved.id);
    });
  }

  #principalOf({ user_id, application_id }: Policy): string {
    const id = user_id ?? application_id;
    return id ? principalName(this.#principals, id) : 'Nobody';
  }
}

customElements.define('iam-policies', IamPolicies);
