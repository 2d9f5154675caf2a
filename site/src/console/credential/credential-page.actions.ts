/** The changes of the credentials on their page. Loaded on first use. */
import {
  type AccessKeyCredentials,
  accessKeyEndpoints,
  type NatsAccount,
  type NatsCredentials,
} from '../../api/api.ts';
import { sentence } from '../../api/errors.ts';
import { fetchResult } from '../../api/request.ts';
import type { AccessKeyProductId } from '../../credentials/access-key/products.ts';
import type { Action } from '../../credentials/allowed-actions.ts';
import { change } from '../../credentials/dialogs/changes.ts';
import { failure, type Notice } from '../../ui/panels/notice.ts';

/** Opens the dialog of a change of NATS credentials. Returns the outcome, or undefined if the person cancels. */
export async function changeNats(
  root: ParentNode,
  credentials: NatsCredentials,
  account: NatsAccount,
  action: Action,
): Promise<Notice | undefined> {
  return (await change(root, { product: 'nats', credentials, account }, action))?.notice;
}

/**
 * Opens the dialog of a change of credentials for Queues or for Topics and Events. Returns the outcome, or undefined if the
 * person cancels.
 */
export async function changeAccessKey(
  root: ParentNode,
  product: AccessKeyProductId,
  credentials: AccessKeyCredentials,
  action: Action,
): Promise<Notice | undefined> {
  let endpoint = '';
  // The dialog with the new key shows how clients connect.
  if (action === 'rotate' && !credentials.rotation) {
    const request = { param: { region: credentials.region }, query: { project_id: credentials.project_id } };
    const info = await fetchResult<object>(() => accessKeyEndpoints[product].info.$get(request));
    if (!info.ok) return failure(sentence(info.problem, 'action'));
    endpoint = String((info.body as Record<string, unknown>)[`${product}_endpoint_url`]);
  }
  return (await change(root, { product, credentials, endpoint }, action))?.notice;
}
