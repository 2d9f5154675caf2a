/** Tests new keys with one signed request, which changes nothing and which every permission allows. Does not store keys. */
import type { AccessKeyCredentials } from '../../api/api.ts';
import { sentence } from '../../api/errors.ts';
import { failure, type Notice, pending, success } from '../../ui/panels/notice.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import type { AccessKeyProduct } from './products.ts';
import { LISTING, noQueue, send } from './signed-request.ts';

/** Returns the outcome. */
export async function tryKeys(
  keys: AccessKeyCredentials,
  { id, label, listable: anyPermission }: AccessKeyProduct,
  endpoint: string,
): Promise<Notice> {
  const began = performance.now();
  const listable = anyPermission || keys.permissions.can_manage;
  const { outcome, answered } = await send(keys, id, endpoint, listable ? LISTING[id] : noQueue());
  const took = Math.round(performance.now() - began);
  const where = `${label} in ${regionLabel(keys.region)}`;
  if (!answered) return failure(sentence({ kind: 'unreachable' }, 'action'));
  switch (outcome) {
    case 'accepted':
      return success(`Accepted by ${where}, after ${took} ms.`);
    case 'denied':
      return failure(`Refused by ${where}. Have these credentials been revoked?`);
    case 'unknown':
      return pending(`${where} could not check the keys right now. Try again in a moment.`);
  }
}
