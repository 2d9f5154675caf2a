/**
 * The pending revocations of NATS accounts: shows them, and polls the API until all servers have confirmed them. The API
 * reports only whether an account has any, so names are known for revocations of this page only.
 */

import { type NatsAccount, type NatsCredentials, natsAccounts } from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import { find } from '../../ui/dom.ts';
import { success } from '../../ui/panels/notice.ts';
import { fillRow } from '../credential-row.lazy.ts';
import type { NatsCredentialsElement } from './nats-credentials.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** A revocation that some server has not confirmed. */
export interface Revoked {
  credentials: NatsCredentials;
  /** How many servers have confirmed it, in words. */
  pendingText: string;
}

/** See the file's head. */
export class PendingRevocations {
  readonly #element: NatsCredentialsElement;
  /** By account. */
  readonly #revoked = new Map<string, Revoked[]>();
  #account: NatsAccount | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Aborted when the response is no longer of use: another account was chosen, or something else was revoked. */
  #polling = new AbortController();

  constructor(element: NatsCredentialsElement) {
    this.#element = element;
  }

  /** Shows the pending revocations of an account, or none if it is undefined. */
  follow(account: NatsAccount | undefined): void {
    clearTimeout(this.#timer);
    this.#polling.abort();
    this.#polling = new AbortController();
    this.#account = account;
    const revoked = (account && this.#revoked.get(account.id)) ?? [];
    const pending = revoked.length > 0 || account?.enforcement.state === 'pending';
    this.#show(revoked, pending);
    if (account && pending) this.#wait(account, FIRST_WAIT_MS);
  }

  add(account: NatsAccount, revoked: Revoked): void {
    this.#revoked.set(account.id, [...(this.#revoked.get(account.id) ?? []), revoked]);
    if (account.id === this.#account?.id) this.follow(account);
  }

  #show(revoked: readonly Revoked[], pending: boolean): void {
    const rows = revoked.map(({ credentials, pendingText }) => {
      const row = fillRow(this.#element.credentials.emptyRow(), credentials, pendingText);
      find(row, '.row-actions', HTMLElement).replaceChildren();
      find(row, '.select', HTMLElement).replaceChildren();
      // Revoked credentials have no page.
      find(row, 'a', HTMLAnchorElement).replaceWith(credentials.name);
      return row;
    });
    find(this.#element, '[data-list="pending"]', HTMLElement).replaceChildren(...rows);
    find(this.#element, '[data-block="unconfirmed"]', HTMLElement).hidden = !pending || rows.length > 0;
  }

  #wait(account: NatsAccount, milliseconds: number): void {
    this.#timer = setTimeout(() => void this.#check(account, milliseconds), milliseconds);
  }

  async #check(account: NatsAccount, waited: number): Promise<void> {
    const { signal } = this.#polling;
    const now = document.hidden ? undefined : await read(account, signal);
    if (signal.aborted) return;
    if (now?.enforcement.state !== 'enforced') {
      return this.#wait(account, Math.min(LONGEST_WAIT_MS, waited * 1.5));
    }
    const confirmed = this.#revoked.get(now.id) ?? [];
    this.#revoked.delete(now.id);
    this.follow(now);
    this.#announce(confirmed);
  }

  #announce(confirmed: readonly Revoked[]): void {
    if (confirmed.length === 0) return;
    const { progress, credentials: list } = this.#element;
    if (progress.revoked) this.#element.updateProgress({ revoked: { ...progress.revoked, pending: false } });
    const names = confirmed.map(({ credentials }) => credentials.name).join(', ');
    list.say(success(`Every server has confirmed the revocation of ${names}.`));
  }
}

/** Returns the current account, or undefined if the request fails. */
async function read(account: NatsAccount, signal: AbortSignal): Promise<NatsAccount | undefined> {
  const param = { region: account.region, nats_account_id: account.id };
  const result = await fetchResult(() =>
    natsAccounts[':nats_account_id'].$get({ param }, { init: { signal } }),
  );
  return result.ok ? result.body : undefined;
}
