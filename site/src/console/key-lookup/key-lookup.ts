/** The dialog of key-lookup.astro: shows what a key belongs to, and revokes it. */

import { accessKeyEndpoints, type Found, iam, lookup, natsCredentials } from '../../api/api.ts';
import type { Problem } from '../../api/errors.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { showLastUsed } from '../../credentials/dialogs/last-used.ts';
import { confirmRevocation } from '../../credentials/dialogs/revoke-dialog.ts';
import { checksumIn, publicKeyIn } from '../../credentials/find-public-key.ts';
import { showConnected } from '../../credentials/nats/connected-clients.ts';
import { revoked } from '../../credentials/revocation-receipt.ts';
import { copyOf, fill, find } from '../../ui/dom.ts';
import { bindForm, clearErrors, isBusy, type Values } from '../../ui/forms/form.ts';
import { say } from '../../ui/panels/notice.ts';
import { markStale } from '../../ui/panels/panel.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { describeKey, type KeySummary } from './describe-key.ts';

const NO_KEY: Problem = {
  kind: 'refused',
  message:
    'No key was found in this text. Paste the access key, the secret key (latchkey_…), the U… key, or all of the .creds file.',
};

export function open(root: Element): void {
  const dialog = find(root, 'dialog', HTMLDialogElement);
  if (!wired.has(root)) bind(root, dialog);
  dialog.showModal();
}

const wired = new WeakSet<Element>();

function bind(root: Element, dialog: HTMLDialogElement): void {
  wired.add(root);
  const form = find(dialog, 'form', HTMLFormElement);
  bindForm(
    form,
    (values) => look(root, values),
    () => find(root, '[data-block="found"]', HTMLElement).focus(),
  );
  find(dialog, '[data-action="close"]', HTMLButtonElement).addEventListener('click', () => {
    if (!isBusy(form)) dialog.close();
  });
  dialog.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && isBusy(form)) event.preventDefault();
  });
  // The pasted text may contain a secret, so it is cleared with the dialog.
  dialog.addEventListener('close', () => {
    form.reset();
    clearErrors(form);
    find(root, '[data-block="found"]', HTMLElement).hidden = true;
    say(root);
  });
}

async function look(root: Element, { text = '' }: Values): Promise<Problem | undefined> {
  const key = publicKeyIn(text);
  const checksum = key ? undefined : await checksumIn(text);
  if (!key && !checksum) return NO_KEY;
  say(root);
  const query = key ? { key } : { secret_checksum: checksum };
  const result = await fetchResult(() => lookup.$get({ query }));
  if (!result.ok) return result.problem;
  const { results, unavailable_regions: silent } = result.body;
  const regions = silent.map(regionLabel).join(', ');
  const caveat = regions ? ` ${regions} did not respond, so it may be there.` : '';
  const [found] = results;
  const what = key ?? 'This secret key';
  if (found) show(root, `${what} is known.${caveat}`, await describeKey(found), found);
  else show(root, `${what} belongs to nothing that you have access to, or no longer exists.${caveat}`);
  return undefined;
}

function show(root: Element, text: string, what?: KeySummary, found?: Found): void {
  const part = find(root, '[data-block="found"]', HTMLElement);
  const facts = find(part, '[data-list="facts"]', HTMLElement);
  fill(part, { found: text, verb: `Revoke ${what?.name ?? ''}` });
  facts.replaceChildren(...(what?.facts ?? []).map(([name, value]) => fact(root, name, value)));
  facts.hidden = !what;
  const way = find(part, '[data-block="way"]', HTMLAnchorElement);
  way.hidden = !what;
  if (what) way.href = what.href;
  const button = find(part, '[data-action="revoke"]', HTMLButtonElement);
  button.hidden = !found || !what?.revocable;
  button.onclick = () => found && what && void revoke(root, found, what);
  part.hidden = false;
}

function fact(root: Element, name: string, value: string): HTMLElement {
  const copy = copyOf(find(root, '[data-template="fact"]', HTMLTemplateElement));
  fill(copy, { name, value });
  return copy;
}

async function revoke(root: Element, found: Found, { name, about, used }: KeySummary): Promise<void> {
  const { credentials } = found;
  const nats = credentials && 'nats_account_id' in credentials ? credentials : undefined;
  const notice = await confirmRevocation(
    root,
    () => send(found),
    { name, about },
    (headers) => revoked(name, headers),
    (dialog, signal) => {
      find(dialog, '[data-block="clients"]', HTMLElement).hidden = !nats;
      showLastUsed(dialog, used);
      if (nats) void showConnected(dialog, nats, signal);
    },
  );
  if (!notice) return;
  find(root, '[data-action="revoke"]', HTMLButtonElement).hidden = true;
  find(root, '[data-block="found"]', HTMLElement).focus();
  say(root, notice);
  markStale();
}

function send({ product, region, credentials, api_key: key }: Found): Promise<Result<unknown>> {
  if (product === 'api_key') {
    const param = { access_key: key?.access_key ?? '' };
    return fetchResult<unknown>(() => iam['api-keys'][':access_key'].$delete({ param }));
  }
  const param = { region: region ?? '', credentials_id: credentials?.id ?? '' };
  const endpoint = product === 'nats' ? natsCredentials : accessKeyEndpoints[product].credentials;
  return fetchResult<unknown>(() => endpoint[':credentials_id'].$delete({ param }));
}
