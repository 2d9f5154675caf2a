/** What the stages of a guide show about credentials, and what the dialogs need to know about them. */
import {
  type AccessKeyCredentials,
  accessKeyEndpoints,
  type NatsAccount,
  type NatsCredentials,
  natsAccounts,
} from '../../api/api.ts';
import type { CredentialProductId } from '../../api/on-demand.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { ACCESS_KEY_PRODUCTS } from '../access-key/products.ts';
import { keyWord } from '../dialogs/overlaps.ts';
import type { Subject } from '../dialogs/subject.ts';

type Credentials = AccessKeyCredentials | NatsCredentials;

/** A key that was used within this time is in use: the schedule does not end it yet. */
const RECENT_MS = 15 * 60_000;

/** Returns what credentials belong to: "for Queues in Paris". */
export function whereOf(product: CredentialProductId, { region }: Credentials, subject?: Subject): string {
  if (product !== 'nats') return `for ${ACCESS_KEY_PRODUCTS[product].label} in ${regionLabel(region)}`;
  const account = subject?.product === 'nats' ? `the NATS account ${subject.account.name}` : 'a NATS account';
  return `of ${account} in ${regionLabel(region)}`;
}

/** Returns what to do with the old key. Empty unless a rotation is in progress. */
export function adviceOf(product: CredentialProductId, { rotation }: Credentials): string {
  if (!rotation) return '';
  const key = keyWord(product);
  const { first_used_at: first, previous_last_used_at: last } = rotation;
  if (!first) return `The new ${key} has not been used yet, so finishing now would cut your services off.`;
  if (last && Date.now() - Date.parse(last) < RECENT_MS) {
    return `The old ${key} was in use in the last 15 minutes. Find the services that still use it before you finish.`;
  }
  return `The old ${key} has not been used in the last 15 minutes. Finish now, or let it end by itself.`;
}

/** Loads what the dialogs need to know about credentials. */
export async function subjectOf(
  product: CredentialProductId,
  credentials: Credentials,
): Promise<Result<Subject>> {
  const { region } = credentials;
  if ('nats_account_id' in credentials) {
    const account = await readAccount({ region, id: credentials.nats_account_id });
    return account.ok
      ? { ...account, body: { product: 'nats', credentials, account: account.body } }
      : account;
  }
  const id = product as Exclude<CredentialProductId, 'nats'>;
  const request = { param: { region }, query: { project_id: credentials.project_id } };
  const known: Result<object> = await fetchResult<object>(() => accessKeyEndpoints[id].info.$get(request));
  if (!known.ok) return known;
  const endpoint = String((known.body as Record<string, unknown>)[`${id}_endpoint_url`]);
  return { ...known, body: { product: id, credentials, endpoint } };
}

/** Loads a NATS account. */
export function readAccount(
  { region, id }: Pick<NatsAccount, 'region' | 'id'>,
  signal?: AbortSignal,
): Promise<Result<NatsAccount>> {
  const param = { region, nats_account_id: id };
  return fetchResult(() =>
    natsAccounts[':nats_account_id'].$get({ param }, { init: signal ? { signal } : {} }),
  );
}
