/** The actions of `<nats-credentials>`: each opens its dialog and sends its request. Loaded on first use. */

import {
  idempotent,
  type NatsAccount,
  type NatsCredentials,
  natsAccounts,
  natsCredentials,
} from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import { sameBody } from '../../api/same-body.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { success } from '../../ui/panels/notice.ts';
import type { ProjectRegion } from '../../workspace/project-region-fields.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { choose } from '../../workspace/selection.ts';
import type { Action } from '../allowed-actions.ts';
import { change as changeCredentials } from '../dialogs/changes.ts';
import { optionalMembers, prepareExpiry } from '../dialogs/optional-fields.ts';
import { outcome } from '../revocation-receipt.ts';
import { showNew } from '../show-new.ts';
import type { NatsCredentialsElement } from './nats-credentials.ts';
import { offerRoles } from './role-field.ts';
import { natsSecret } from './secret-files.ts';
import { withUserKey } from './user-key.ts';

/** Asks for a name and creates an account. Returns undefined if the person cancels. */
export function createAccount(
  root: ParentNode,
  { region, project }: ProjectRegion,
): Promise<NatsAccount | undefined> {
  return dialogIn(root, 'create-account').submit(
    ({ name = '' }, key) => {
      const json = { project_id: project, name };
      return fetchResult(() =>
        natsAccounts.$post({ param: { region }, header: idempotent(key, project), json }),
      );
    },
    { region: regionLabel(region) },
  );
}

/** Creates an account and selects it in the list. */
export async function createAndChooseAccount(element: NatsCredentialsElement): Promise<void> {
  const created = element.selection && (await createAccount(element, element.selection));
  if (!created) return;
  choose({ account: created.id });
  await element.load();
  // Not in the list: the list failed to load, or the account is on a later page.
  if (!element.panel.focus()) element.panel.announce(success(`Created ${created.name}.`));
}

/** Asks for confirmation and deletes an account. */
export async function deleteAccount(
  element: NatsCredentialsElement,
  { id, name, region }: NatsAccount,
): Promise<void> {
  const param = { region, nats_account_id: id };
  const notice = await dialogIn(element, 'delete-account').confirm(
    () => fetchResult(() => natsAccounts[':nats_account_id'].$delete({ param })),
    { name, region: regionLabel(region) },
    (headers) => outcome(`Deleted ${name}.`, headers),
  );
  if (!notice) return;
  choose({ account: undefined });
  await element.load();
  element.panel.announce(notice);
}

const bodyFor = sameBody<{ nats_account_id: string; nats_role_id?: string; name: string }>();

/** Asks for a name and the other fields, creates credentials and shows their secret. */
export async function generate(element: NatsCredentialsElement): Promise<void> {
  const account = element.owner;
  if (!account) return;
  const { id, region } = account;
  const dialog = dialogIn(element, 'generate');
  const listener = () =>
    element.updateSamples({ name: `${new FormData(dialog.form).get('name') ?? ''}`.trim() });
  dialog.addEventListener('input', listener);
  prepareExpiry(dialog);
  const closed = new AbortController();
  void offerRoles(dialog, account, closed.signal);
  const issued = await dialog.submit(
    (values, key) => {
      const { name = '', nats_role_id: role } = values;
      const request = `${key} ${id}`;
      const body = bodyFor(request, () => ({
        nats_account_id: id,
        name,
        ...(role && { nats_role_id: role }),
        ...optionalMembers(values),
      }));
      return withUserKey({ request, accountId: id, name }, (userKey) => {
        const json = { ...body, ...userKey };
        return fetchResult(() =>
          natsCredentials.$post({ param: { region }, header: idempotent(key, id), json }),
        );
      });
    },
    { account: account.name, region: regionLabel(region) },
  );
  closed.abort();
  dialog.removeEventListener('input', listener);
  if (issued) await showNew(element, issued, natsSecret(issued, account));
}

/** Changes credentials, and shows the outcome once the list shows it. */
export async function change(
  element: NatsCredentialsElement,
  credentials: NatsCredentials,
  action: Action,
): Promise<void> {
  const account = element.owner;
  const made =
    account && (await changeCredentials(element, { product: 'nats', credentials, account }, action));
  if (!made) return;
  const { notice, progress, unconfirmed } = made;
  element.updateProgress(progress);
  if (notice.kind === 'pending') {
    await element.watch((pendingRevocations) => {
      if (element.owner === account) pendingRevocations.follow(withPendingChange(account));
      if (unconfirmed) pendingRevocations.add(account, { credentials, pendingText: unconfirmed });
    });
  }
  await element.loadCredentials();
  element.credentials.announce(notice);
}

const withPendingChange = (account: NatsAccount): NatsAccount => ({
  ...account,
  enforcement: { ...account.enforcement, state: 'pending' },
});
