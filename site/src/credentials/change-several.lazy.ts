/** Disables, enables or revokes several credentials at once: shows what would happen, and what did. */
import { accessKeyEndpoints, type NatsCredentials, natsCredentials } from '../api/api.ts';
import { sentence } from '../api/errors.ts';
import { type ApiResponse, fetchResult } from '../api/request.ts';
import type { GuideProgress } from '../guide/progress.ts';
import { dialogIn, type FormDialog } from '../ui/dialogs/form-dialog.ts';
import { fill, find } from '../ui/dom.ts';
import { info, type Notice } from '../ui/panels/notice.ts';
import { pluralize } from '../ui/pluralize.ts';
import { showTime } from '../ui/time.ts';
import type { Listed } from './credentials-panel.ts';
import type { BatchAction, ListElement } from './list-selection.ts';
import type { NatsCredentialsElement } from './nats/nats-credentials.ts';
import { changed, type Effect, outcome, pendingText } from './revocation-receipt.ts';

/** The most credentials that the dialog names. */
const NAMED = 8;

interface BatchResult {
  results: {
    id: string;
    name: string | null;
    result: 'changed' | 'unchanged' | 'not_found';
    last_used_at: string | null;
    connections: number | null;
  }[];
}

type Batch = (request: object, options?: object) => Promise<ApiResponse<BatchResult>>;

const DONE: Record<BatchAction, string> = { disable: 'Disabled', enable: 'Enabled', revoke: 'Revoked' };

const DENIED: Effect = {
  enforced: 'Their next request is denied.',
  pending: (within) => `Their requests are denied ${within}.`,
};

const EFFECTS: Record<BatchAction, Effect> = {
  disable: DENIED,
  revoke: DENIED,
  enable: { enforced: '', pending: (within) => `They can be used ${within}.` },
};

/**
 * Shows what the action would do to the selected credentials, asks for confirmation, and runs it. Returns the notice to
 * show, or undefined if the person cancels. The caller loads the list.
 */
export async function changeSeveral(
  element: ListElement,
  action: BatchAction,
  selected: readonly Listed[],
): Promise<Notice | undefined> {
  const [{ region } = { region: '' }] = selected;
  const dialog = dialogIn(element, `${action}-several`);
  if (dialog.isOpen) return undefined;
  const send = batchOf(element);
  const ids = selected.map(({ id }) => id);
  const request = (json: object, init?: RequestInit) =>
    fetchResult(() => send({ param: { region }, json: { action, ids, ...json } }, { init }));
  const closed = new AbortController();
  void showEffect(dialog, selected, () => request({ dry_run: true }, { signal: closed.signal }));
  let headers = new Headers();
  const body = await dialog.submit(async ({ reason }) => {
    const result = await request({ ...(reason && { reason }) });
    if (result.ok) headers = result.headers;
    return result;
  });
  closed.abort();
  if (!body) return undefined;
  const done = body.results.filter(({ result }) => result === 'changed');
  if (action === 'revoke') await showRevoked(element, selected, new Set(done.map(({ id }) => id)), headers);
  return noticeOf(element, action, body, headers);
}

/** Returns the request that changes several credentials of the element's product. */
function batchOf(element: ListElement): Batch {
  const { product = 'nats' } = element.dataset;
  const credentials =
    product === 'sqs' || product === 'sns' ? accessKeyEndpoints[product].credentials : natsCredentials;
  return credentials.batch.$post as Batch;
}

/** Shows what the action would do, by a dry run of it. */
async function showEffect(
  dialog: FormDialog,
  selected: readonly Listed[],
  dryRun: () => ReturnType<typeof fetchResult<BatchResult>>,
): Promise<void> {
  const names = new Map(selected.map(({ id, name }) => [id, name]));
  const list = find(dialog, '[data-list="effects"]', HTMLElement);
  list.replaceChildren();
  fill(dialog, { effect: 'Checking how they are used…' });
  const result = await dryRun();
  if (!result.ok) {
    if (result.problem.kind === 'superseded') return;
    list.replaceChildren(...[...names.values()].slice(0, NAMED).map((name) => itemOf(name)));
    return fill(dialog, {
      effect: `How they are used could not be checked. ${sentence(result.problem, 'action')}`,
    });
  }
  const { results } = result.body;
  const changing = results.filter(({ result }) => result === 'changed');
  const same = results.length - changing.length;
  const connections = changing.reduce((sum, one) => sum + (one.connections ?? 0), 0);
  const parts = [
    `This changes ${pluralize(changing.length, 'set')} of credentials${connections > 0 ? ` with ${pluralize(connections, 'open connection')}` : ''}.`,
    ...(same > 0 ? [`${pluralize(same, 'other')} will stay as ${same === 1 ? 'it is' : 'they are'}.`] : []),
  ];
  fill(dialog, { effect: parts.join(' ') });
  const items = changing.slice(0, NAMED).map(({ id, name, connections, last_used_at }) => {
    const item = itemOf(name ?? names.get(id) ?? id);
    const use = document.createElement('small');
    const time = document.createElement('time');
    if (last_used_at) showTime(time, last_used_at);
    use.append(
      ...(connections === null ? [] : [`${pluralize(connections, 'open connection')}, `]),
      last_used_at ? 'last used ' : 'never used',
      time,
    );
    item.append(use);
    return item;
  });
  if (changing.length > NAMED) items.push(itemOf(`and ${changing.length - NAMED} more`));
  list.replaceChildren(...items);
}

function itemOf(text: string): HTMLElement {
  const item = document.createElement('li');
  const name = document.createElement('span');
  name.dir = 'auto';
  name.textContent = text;
  item.append(name);
  return item;
}

/** Marks the guide's step as done, and shows revocations of NATS credentials that are pending. */
async function showRevoked(
  element: ListElement,
  selected: readonly Listed[],
  done: ReadonlySet<string>,
  headers: Headers,
): Promise<void> {
  const unconfirmed = isNats(element) ? pendingText(headers) : undefined;
  const [id] = done;
  const progress: Partial<GuideProgress> = id ? { revoked: { id, pending: unconfirmed !== undefined } } : {};
  element.updateProgress(progress);
  const account = isNats(element) && element.owner;
  if (!unconfirmed || !account) return;
  await element.watch((pendingRevocations) => {
    pendingRevocations.follow(account);
    for (const credentials of selected as NatsCredentials[])
      if (done.has(credentials.id))
        pendingRevocations.add(account, { credentials, pendingText: unconfirmed });
  });
}

const isNats = (element: ListElement): element is ListElement & NatsCredentialsElement =>
  element.localName === 'nats-credentials';

function noticeOf(
  element: ListElement,
  action: BatchAction,
  { results }: BatchResult,
  headers: Headers,
): Notice {
  const done = results.filter(({ result }) => result === 'changed');
  const reasons = {
    unchanged: `already ${DONE[action].toLowerCase()}`,
    not_found: 'no longer exists',
    changed: '',
  };
  const others = results.filter(({ result }) => result !== 'changed');
  const rest = others.map(
    ({ id, name, result }) =>
      `${name ?? element.credentials.listed.get(id)?.name ?? id} (${reasons[result]})`,
  );
  const failed = rest.length > 0 ? ` Not changed: ${rest.join(', ')}.` : '';
  const [first] = done;
  if (!first) return info(failed.trim());
  const what = `${DONE[action]} ${done.length === 1 ? first.name : `${done.length} sets of credentials`}.`;
  const notice = isNats(element) ? outcome(what, headers) : changed(what, EFFECTS[action], headers);
  return { ...notice, text: notice.text + failed };
}
