/**
 * The changes of credentials: {@link change} is the entry point for their rows and pages. Each opens its dialog of
 * change-dialogs.astro under `root`, sends its request and returns the outcome, or undefined if the person cancels.
 */

import { sentence } from '../../api/errors.ts';
import { credentialEndpoints } from '../../api/on-demand.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { find } from '../../ui/dom.ts';
import { failure } from '../../ui/panels/notice.ts';
import { update } from '../access-key/update.ts';
import type { Action } from '../allowed-actions.ts';
import { changed, type Effect, outcome, pendingText, revoked } from '../revocation-receipt.ts';
import { showRecentUse } from './recent-use.ts';
import { confirmRevocation } from './revoke-dialog.ts';
import { rotate } from './rotate.ts';
import { type Change, pathOf, type Subject, textsOf } from './subject.ts';

/** Makes a change. NATS credentials cannot be updated. */
export async function change(
  root: ParentNode,
  subject: Subject,
  action: Action,
): Promise<Change | undefined> {
  switch (action) {
    case 'update':
      return subject.product === 'nats' ? undefined : update(root, subject);
    case 'rotate':
      return rotate(root, subject);
    case 'disable':
      return disable(root, subject);
    case 'enable':
      return enable(subject);
    case 'revoke':
      return revoke(root, subject);
  }
}

const DENIED: Effect = {
  enforced: 'Its next request is denied.',
  pending: (within) => `Its requests are denied ${within}.`,
};

const ALLOWED: Effect = {
  enforced: 'Its requests are allowed again.',
  pending: (within) => `Its requests are allowed again ${within}.`,
};

/** Asks for a reason, and disables credentials. */
async function disable(root: ParentNode, subject: Subject): Promise<Change | undefined> {
  const { product, credentials } = subject;
  const dialog = dialogIn(root, 'disable');
  if (dialog.isOpen) return undefined;
  const closed = new AbortController();
  showRecentUse(dialog, subject, closed.signal);
  let headers = new Headers();
  const disabled = await dialog.submit<unknown>(
    async ({ reason, revoke_after_seconds: after }) => {
      const json = { ...(reason && { reason }), ...(after && { revoke_after_seconds: Number(after) }) };
      const result: Result<unknown> = await fetchResult<unknown>(() =>
        credentialEndpoints[product].disable.$post({ param: pathOf(subject), json }),
      );
      if (result.ok) headers = result.headers;
      return result;
    },
    textsOf(subject),
    { reason: '', revoke_after_seconds: '' },
  );
  closed.abort();
  if (!disabled) return undefined;
  const done = `Disabled ${credentials.name}.`;
  return {
    notice: product === 'nats' ? outcome(done, headers) : changed(done, DENIED, headers),
    progress: {},
  };
}

/** Enables disabled credentials. */
async function enable(subject: Subject): Promise<Change> {
  const { product, credentials } = subject;
  const result: Result<unknown> = await fetchResult<unknown>(() =>
    credentialEndpoints[product].enable.$post({ param: pathOf(subject) }),
  );
  if (!result.ok) return { notice: failure(sentence(result.problem, 'action')), progress: {} };
  const done = `Enabled ${credentials.name}.`;
  return {
    notice:
      product === 'nats'
        ? outcome(`${done} Its clients can connect again.`, result.headers, false)
        : changed(done, ALLOWED, result.headers),
    progress: {},
  };
}

/** Asks for confirmation, and revokes credentials, or disables them if the person prefers that. */
async function revoke(root: ParentNode, subject: Subject): Promise<Change | undefined> {
  const { product, credentials } = subject;
  const { id, name, status } = credentials;
  let instead = false;
  let unconfirmed: string | undefined;
  const notice = await confirmRevocation(
    root,
    (values) => {
      instead = values.instead !== undefined;
      if (instead) return undefined;
      return fetchResult<unknown>(() => credentialEndpoints[product].$delete({ param: pathOf(subject) }));
    },
    textsOf(subject),
    (headers) => {
      if (product !== 'nats') return changed(`Revoked ${name}.`, DENIED, headers);
      unconfirmed = pendingText(headers);
      return revoked(name, headers);
    },
    (dialog, signal) => {
      find(dialog, '[name="instead"]', HTMLButtonElement).hidden = status !== 'enabled';
      showRecentUse(dialog, subject, signal);
    },
  );
  if (instead) return disable(root, subject);
  return notice && { notice, progress: { revoked: { id, pending: unconfirmed !== undefined } }, unconfirmed };
}
