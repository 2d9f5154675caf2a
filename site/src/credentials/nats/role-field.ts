/** Fills in the field for a role in the dialog that generates credentials. */
import type { NatsAccount } from '../../api/api.ts';
import { natsRoles } from '../../api/on-demand.ts';
import { fetchAllPages } from '../../api/request.ts';
import type { FormDialog } from '../../ui/dialogs/form-dialog.ts';
import { find } from '../../ui/dom.ts';

/** Loads the roles of the account and offers them, unless `signal` is aborted before. Hides the field if there are none. */
export async function offerRoles(
  dialog: FormDialog,
  { id, region }: NatsAccount,
  signal: AbortSignal,
): Promise<void> {
  const block = find(dialog, '[data-block="role"]', HTMLElement);
  const select = find(block, 'select', HTMLSelectElement);
  const all = new Option('Full access to the account', '');
  select.replaceChildren(all);
  block.hidden = true;
  const result = await fetchAllPages(
    (page) =>
      natsRoles.$get({ param: { region }, query: { nats_account_id: id, ...page } }, { init: { signal } }),
    (body) => body.nats_roles,
  );
  if (signal.aborted) return;
  if (result.ok) select.append(...result.body.map((role) => new Option(role.name, role.id)));
  else all.text = 'Full access to the account (the roles could not be loaded)';
  block.hidden = result.ok && result.body.length === 0;
}
