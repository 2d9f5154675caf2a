/** Fills in rotation-facts.astro. */
import type { AccessKeyCredentials, NatsCredentials } from '../../api/api.ts';
import { fill, find } from '../../ui/dom.ts';
import { showTime } from '../../ui/time.ts';
import { keyWord } from './overlaps.ts';
import type { Subject } from './subject.ts';

/** Returns the public part of the current key of credentials, which is the new one during a rotation. */
export const keyOf = (credentials: AccessKeyCredentials | NatsCredentials): string =>
  'public_key' in credentials ? credentials.public_key : credentials.access_key;

/** Returns the public part of the old key. Undefined unless a rotation is in progress. */
export function oldKeyOf({ rotation }: AccessKeyCredentials | NatsCredentials): string | undefined {
  if (!rotation) return undefined;
  return 'previous_public_key' in rotation ? rotation.previous_public_key : rotation.previous_access_key;
}

/** Shows both keys under `root`. Changes nothing if no rotation is in progress. */
export function showRotation(
  root: ParentNode,
  product: Subject['product'],
  credentials: AccessKeyCredentials | NatsCredentials,
): void {
  const { rotation } = credentials;
  // The rotation ended in the meantime: the request reports it.
  if (!rotation) return;
  const key = keyWord(product);
  const { first_used_at: first, previous_ends_at: end } = rotation;
  // Before the first use of the new key, the last use of the credentials is one of the old key.
  const last = rotation.previous_last_used_at ?? (first ? null : credentials.last_used_at);
  const time = (name: string) => find(root, `[data-time="${name}"]`, HTMLTimeElement);
  time('first_used').textContent = '';
  time('previous_last_used').textContent = '';
  time('ends').textContent = '';
  if (first) showTime(time('first_used'), first);
  if (last) showTime(time('previous_last_used'), last);
  if (end) showTime(time('ends'), end);
  fill(root, {
    new_key: keyOf(credentials),
    old_key: oldKeyOf(credentials) ?? '',
    unused: first ? '' : 'not used yet',
    previous_unused: last ? '' : first ? 'not since the rotation began' : 'never',
    ends: end ? `The old ${key} ends ` : `The old ${key} keeps working until the new one is used.`,
    ends_after: end ? '.' : '',
  });
}
