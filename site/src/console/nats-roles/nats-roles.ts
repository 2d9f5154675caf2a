/** The element `<nats-roles>`: lists, creates, updates and deletes the roles of the account of `<nats-credentials>`. */

import type { NatsAccount } from '../../api/api.ts';
import type { Problem } from '../../api/errors.ts';
import { type NatsRole, natsRoles } from '../../api/on-demand.ts';
import { type PageQuery, sliceOf } from '../../api/request.ts';
import type { NatsCredentialsElement } from '../../credentials/nats/nats-credentials.ts';
import type { Notice } from '../../ui/panels/notice.ts';
import { SELECTION_CHANGED } from '../../workspace/selection.ts';
import { ListElement } from '../list/list-element.ts';
import type { Row } from '../list/list-panel.ts';
import { grants } from './role-values.ts';

type Outcome = { notice: Notice; id?: string } | undefined;
type Actions = typeof import('./nats-roles.actions.ts');

class NatsRolesElement extends ListElement<NatsRole, NatsAccount> {
  protected readonly panel = 'roles';

  protected async open(): Promise<({ ok: true } & NatsAccount) | { ok: false; problem: Problem }> {
    const { owner } = this.closest('nats-credentials') as NatsCredentialsElement;
    return owner ? { ok: true, ...owner } : { ok: false, problem: { kind: 'superseded' } };
  }

  protected onOtherContext(restart: () => void): void {
    document.addEventListener(SELECTION_CHANGED, restart);
  }

  protected read({ id, region }: NatsAccount, page: PageQuery, init: RequestInit) {
    return sliceOf(
      () => natsRoles.$get({ param: { region }, query: { nats_account_id: id, ...page } }, { init }),
      (body) => body.nats_roles,
    );
  }

  protected describe(role: NatsRole): Row {
    return {
      id: role.id,
      name: role.name,
      texts: grants(role),
      times: { updated: role.updated_at },
      menu: {
        update: (button) => this.#run(button, ({ update }) => update(this, role)),
        delete: (button) => this.#run(button, ({ remove }) => remove(this, role)),
      },
    };
  }

  protected create(account: NatsAccount, button: HTMLElement): Promise<void> {
    return this.#run(button, ({ create }) => create(this, account));
  }

  #run(button: HTMLElement, action: (actions: Actions) => Promise<Outcome>): Promise<void> {
    return this.act(button, import('./nats-roles.actions.ts'), async (actions) => {
      const outcome = await action(actions);
      if (outcome) await this.done(outcome.notice, outcome.id);
    });
  }
}

customElements.define('nats-roles', NatsRolesElement);
