/**
 * What the NATS forms change: create an account or delete it, generate credentials or revoke them. Each opens its dialog
 * under `root` and sends the request. Loaded when the reader first presses one of the buttons: a page that is only read does
 * without it.
 */

import {
  type IssuedNatsCredentials,
  idempotent,
  type NatsAccount,
  type NatsCredentials,
  natsAccounts,
  natsCredentials,
} from '../../api/api.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { SecretDialog } from '../../ui/dialogs/secret-dialog.ts';
import { find } from '../../ui/dom.ts';
import { info, type Notice } from '../../ui/panels/notice.ts';
import type { ProjectRegion } from '../../workspace/project-region-fields.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { outcome, pendingText, revoked } from '../revocation-receipt.ts';
import { showConnected } from './connected-clients.ts';
import { natsSecret } from './secret-files.ts';

/** Asks for a name and creates an account. Resolves to undefined when the person cancels. */
export async function createAccount(
  root: ParentNode,
  selection: ProjectRegion,
): Promise<NatsAccount | undefined> {
  let created: NatsAccount | undefined;
  await dialogIn(root, 'create-account').open(
    async ({ name = '' }, key) => {
      const json = { project_id: selection.project, name };
      const request = {
        param: { region: selection.region },
        header: idempotent(key, selection.project),
        json,
      };
      const result = await fetchResult(() => natsAccounts.$post(request));
      if (!result.ok) return result.problem;
      created = result.body;
      return undefined;
    },
    { region: regionLabel(selection.region) },
  );
  return created;
}

/**
 * Asks for confirmation and deletes an account with all that it holds. Resolves to what to say of it, or to undefined
 * when the person cancels.
 */
export async function deleteAccount(
  root: ParentNode,
  { id, name, region }: NatsAccount,
): Promise<Notice | undefined> {
  let notice: Notice | undefined;
  await dialogIn(root, 'delete-account').open(
    async () => {
      const result = await fetchResult(() =>
        natsAccounts[':nats_account_id'].$delete({ param: { region, nats_account_id: id } }),
      );
      if (!result.ok && result.problem.kind !== 'gone') return result.problem;
      notice = result.ok ? outcome(`Deleted ${name}.`, result.headers) : info(`${name} was already deleted.`);
      return undefined;
    },
    { name, region: regionLabel(region) },
  );
  return notice;
}

/**
 * Asks for a name and generates credentials. Resolves to undefined when the person cancels. `typed` hears of the name
 * while it is typed. The secret has not been shown yet: {@link showSecret} does.
 */
export async function generate(
  root: ParentNode,
  account: NatsAccount,
  typed: (name: string) => void,
): Promise<IssuedNatsCredentials | undefined> {
  const form = dialogIn(root, 'generate');
  let issued: IssuedNatsCredentials | undefined;
  const listener = () => typed(`${new FormData(form.form).get('name') ?? ''}`.trim());
  form.addEventListener('input', listener);
  await form.open(
    async ({ name = '' }, key) => {
      const result = await issue(account, name, key);
      if (!result.ok) return result.problem;
      issued = result.body;
      return undefined;
    },
    { account: account.name, region: regionLabel(account.region) },
  );
  form.removeEventListener('input', listener);
  return issued;
}

function issue(account: NatsAccount, name: string, key: string): Promise<Result<IssuedNatsCredentials>> {
  const json = { nats_account_id: account.id, name };
  const request = { param: { region: account.region }, header: idempotent(key, account.id), json };
  return fetchResult(() => natsCredentials.$post(request));
}

/** Shows credentials just generated; resolves when the person has said that they are saved. */
export function showSecret(
  root: ParentNode,
  issued: IssuedNatsCredentials,
  account: NatsAccount,
): Promise<void> {
  return find(root, 'secret-dialog', SecretDialog).show(natsSecret(issued, account));
}

/** What a revocation came to. */
export interface Revocation {
  /** How far it has come, in words, as long as it is pending. */
  pendingText: string | undefined;
  /** What to say of it. */
  notice: Notice;
}

/**
 * Shows who is connected, asks for confirmation and revokes credentials. Resolves to undefined when the person cancels.
 */
export async function revoke(
  root: ParentNode,
  credentials: NatsCredentials,
  account: NatsAccount,
): Promise<Revocation | undefined> {
  const { id, name, region } = credentials;
  let revocation: Revocation | undefined;
  const form = dialogIn(root, 'revoke');
  if (form.isOpen) return undefined;
  const asking = new AbortController();
  void showConnected(form, credentials, asking.signal);
  await form.open(
    async () => {
      const result = await fetchResult(() =>
        natsCredentials[':credentials_id'].$delete({ param: { region, credentials_id: id } }),
      );
      if (result.ok) {
        revocation = { pendingText: pendingText(result.headers), notice: revoked(name, result.headers) };
        return undefined;
      }
      if (result.problem.kind !== 'gone') return result.problem;
      revocation = { pendingText: undefined, notice: info(`${name} was already revoked.`) };
      return undefined;
    },
    { name, account: account.name, region: regionLabel(region) },
  );
  asking.abort();
  return revocation;
}
