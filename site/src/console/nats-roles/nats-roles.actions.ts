/** The actions of `<nats-roles>`: each opens its dialog and sends its request. Loaded on first use. */

import { idempotent, type NatsAccount } from '../../api/api.ts';
import { type NatsRole, natsRoles } from '../../api/on-demand.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { outcome } from '../../credentials/revocation-receipt.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { find } from '../../ui/dom.ts';
import type { Values } from '../../ui/forms/form.ts';
import type { Notice } from '../../ui/panels/notice.ts';
import { PresetFields } from './preset-fields.ts';
import { showEffect, showUsers } from './role-users.ts';
import { changesOf, definitionIn, roleValues } from './role-values.ts';

/** The outcome of an action, and the role that it created or changed. */
interface Outcome {
  notice: Notice;
  id?: string;
}

const EMPTY = {
  name: '',
  publish: { allow: [], deny: [] },
  subscribe: { allow: [], deny: [] },
  responses: null,
  source_ips: null,
  connection_types: null,
  max_subscriptions: null,
  max_payload: null,
};

/** Asks for a name and permissions, and creates a role. Returns undefined if the person cancels. */
export async function create(root: ParentNode, { id, region }: NatsAccount): Promise<Outcome | undefined> {
  const saved = await edit(root, undefined, (values, key) => {
    const json = { nats_account_id: id, ...definitionIn(values) };
    return fetchResult(() => natsRoles.$post({ param: { region }, header: idempotent(key, id), json }));
  });
  return saved && { notice: outcome(`Created ${saved.role.name}.`, saved.headers, false), id: saved.role.id };
}

/** Asks for new values and updates a role. Returns undefined if the person cancels. */
export async function update(root: ParentNode, role: NatsRole): Promise<Outcome | undefined> {
  const param = { region: role.region, nats_role_id: role.id };
  const saved = await edit(root, role, (values) => {
    const json = changesOf(role, definitionIn(values));
    return fetchResult(() => natsRoles[':nats_role_id'].$patch({ param, json }));
  });
  return saved && { notice: outcome(`Updated ${saved.role.name}.`, saved.headers, false), id: role.id };
}

async function edit(
  root: ParentNode,
  role: NatsRole | undefined,
  send: (values: Values, key: string) => Promise<Result<NatsRole>>,
): Promise<{ role: NatsRole; headers: Headers } | undefined> {
  const dialog = dialogIn(root, 'edit');
  if (dialog.isOpen) return undefined;
  const presets = new PresetFields(dialog);
  const closed = new AbortController();
  find(dialog, 'h2', HTMLElement).textContent = role ? 'Update role' : 'Create a role';
  find(dialog, '[data-block="effect"]', HTMLElement).hidden = !role;
  if (role) void showEffect(dialog, role, closed.signal);
  let headers = new Headers();
  // The preset comes last, because it replaces the subjects.
  const values = { ...roleValues(role ?? EMPTY), ...presets.values(role ? '' : undefined) };
  const saved = await dialog.submit(
    async (typed, key) => {
      const result = await send(typed, key);
      if (result.ok) headers = result.headers;
      return result;
    },
    {},
    values,
  );
  closed.abort();
  return saved && { role: saved, headers };
}

/** Asks for confirmation and deletes a role. Returns undefined if the person cancels. */
export async function remove(root: ParentNode, role: NatsRole): Promise<Outcome | undefined> {
  const { id, name, region } = role;
  const dialog = dialogIn(root, 'delete');
  if (dialog.isOpen) return undefined;
  const closed = new AbortController();
  void showUsers(dialog, role, closed.signal);
  const notice = await dialog.confirm<unknown>(
    async () => {
      const result = await fetchResult<unknown>(() =>
        natsRoles[':nats_role_id'].$delete({ param: { region, nats_role_id: id } }),
      );
      if (result.ok || result.problem.kind !== 'refused') return result;
      void showUsers(dialog, role, closed.signal);
      const message = 'Credentials use this role, so it was not deleted. Revoke them first.';
      return { ok: false, problem: { kind: 'refused', message } };
    },
    { name },
    (headers) => outcome(`Deleted ${name}.`, headers, false),
  );
  closed.abort();
  return notice && { notice };
}
