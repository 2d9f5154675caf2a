/**
 * The revocations of an account that some server has yet to confirm. Asks the API, ever less often, until the account
 * is enforced. It knows by name only what was revoked on this page; of the rest it knows that there is something.
 */

import { type NatsAccount, natsAccounts } from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import { success } from '../../ui/panels/notice.ts';
import type { Panel } from '../../ui/panels/panel.ts';
import type { Revoked } from './nats-credentials-panel.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** See the file's description. */
export class PendingRevocations {
  readonly #show: (revoked: readonly Revoked[], pending: boolean) => void;
  readonly #settle: (revoked: readonly Revoked[]) => void;
  readonly #revoked = new Map<string, Revoked[]>();
  #account: NatsAccount | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Aborted when what is asked no longer answers the question: another account, or another revocation. */
  #asking = new AbortController();

  /** `show` hears of every change, `settle` of the revocations that have become confirmed. */
  constructor(
    show: (revoked: readonly Revoked[], pending: boolean) => void,
    settle: (revoked: readonly Revoked[]) => void,
  ) {
    this.#show = show;
    this.#settle = settle;
  }

  /** Turns to an account, as the API has told it; to none, with undefined. */
  follow(account: NatsAccount | undefined): void {
    clearTimeout(this.#timer);
    this.#asking.abort();
    this.#asking = new AbortController();
    this.#account = account;
    const revoked = (account && this.#revoked.get(account.id)) ?? [];
    const pending = revoked.length > 0 || account?.enforcement.state === 'pending';
    this.#show(revoked, pending);
    if (account && pending) this.#wait(account, FIRST_WAIT_MS);
  }

  /** Takes in a revocation in an account, whose answer was that it is pending. */
  add(account: NatsAccount, revoked: Revoked): void {
    this.#revoked.set(account.id, [...(this.#revoked.get(account.id) ?? []), revoked]);
    if (account.id === this.#account?.id) this.follow(account);
  }

  #wait(account: NatsAccount, milliseconds: number): void {
    this.#timer = setTimeout(() => void this.#check(account, milliseconds), milliseconds);
  }

  async #check(account: NatsAccount, waited: number): Promise<void> {
    const { signal } = this.#asking;
    const now = document.hidden ? undefined : await read(account, signal);
    if (signal.aborted) return;
    if (now?.enforcement.state !== 'enforced') {
      return this.#wait(account, Math.min(LONGEST_WAIT_MS, waited * 1.5));
    }
    const confirmed = this.#revoked.get(now.id) ?? [];
    this.#revoked.delete(now.id);
    this.follow(now);
    this.#settle(confirmed);
  }
}

/** The account as it is now; undefined where the API does not tell. */
async function read(account: NatsAccount, signal: AbortSignal): Promise<NatsAccount | undefined> {
  const param = { region: account.region, nats_account_id: account.id };
  const result = await fetchResult(() =>
    natsAccounts[':nats_account_id'].$get({ param }, { init: { signal } }),
  );
  return result.ok ? result.body : undefined;
}

/** Says in a list that every server has confirmed these revocations; nothing when there are none. */
export function sayConfirmed(list: Panel, revoked: readonly Revoked[]): void {
  const names = revoked.map(({ credentials }) => credentials.name).join(', ');
  if (names) list.say(success(`Every server has confirmed the revocation of ${names}.`));
}
