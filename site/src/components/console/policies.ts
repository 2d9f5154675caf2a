/** The element `<iam-policies>`: lists policies with what they grant, and creates, edits and deletes them. */
import { iam, type Policy } from '../../lib/api.ts';
import { counted } from '../../lib/counted.ts';
import { type Party, partiesOf, partyName } from '../../lib/parties.ts';
import { type Context, listing, OrganizationList } from './organization-list.ts';
import type { Row } from './resource-list.ts';

const actions = () => import('./policies-actions.ts');

class IamPolicies extends OrganizationList<Policy> {
  protected readonly panel = 'policies';
  #parties: Party[] = [];

  protected async read({ organization }: Context, page: number) {
    const query = { organization_id: organization.id, page: `${page}`, page_size: '50' };
    const [result, parties] = await Promise.all([
      listing(
        this.latest.ask((init) => iam.policies.$get({ query }, { init })),
        (body) => body.policies,
      ),
      partiesOf(organization.id, page === 1),
    ]);
    if (this.context.organization === organization) this.#parties = parties;
    return result;
  }

  protected describe(policy: Policy, context: Context): Row {
    const { id, name, description, nb_rules: rules, nb_permission_sets: sets } = policy;
    const principal = this.#principalOf(policy);
    const grants =
      rules === 0 ? 'Nothing' : `${counted(sets, 'permission set')} in ${counted(rules, 'rule')}`;
    return {
      id,
      name,
      sub: description,
      texts: { principal, grants },
      times: { updated: policy.updated_at },
      menu: {
        edit: () => this.#edit(context, policy),
        delete: () =>
          this.act(actions(), async ({ remove }) => {
            const notice = await remove(this, policy, principal);
            if (notice) await this.done(notice);
          }),
      },
    };
  }

  protected create(context: Context): Promise<void> {
    return this.#edit(context);
  }

  #edit({ organization }: Context, policy?: Policy): Promise<void> {
    return this.act(actions(), async ({ edit }) => {
      const parties = await partiesOf(organization.id, true);
      const saved = await edit(this, organization.id, parties, policy);
      if (typeof saved === 'string') this.list.announce(saved);
      else if (saved) await this.done(`Saved ${saved.name}.`, saved.id);
    });
  }

  #principalOf({ user_id, application_id }: Policy): string {
    const id = user_id ?? application_id;
    return id ? partyName(this.#parties, id) : 'Nobody';
  }
}

customElements.define('iam-policies', IamPolicies);
