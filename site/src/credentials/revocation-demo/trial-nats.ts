/** Trial credentials for NATS, used on a connection that stays open until a server closes it. */
import type { NatsConnection } from '@nats-io/nats-core';
import {
  type IssuedNatsCredentials,
  idempotent,
  type NatsAccount,
  natsAccounts,
  natsCredentials,
} from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import { failure, type Notice, pending } from '../../ui/panels/notice.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { currentSelection } from '../../workspace/selection.ts';
import { connect, exchange, isRefusal, NO_WEBSOCKET } from '../nats/test-connection.ts';
import { withUserKey } from '../nats/user-key.ts';
import { outcome, receipt } from '../revocation-receipt.ts';
import {
  type Answered,
  issue,
  NAME,
  notCreated,
  since,
  type TrialCredentials,
  type TrialResult,
  type Use,
} from './trial-credentials.ts';

/** How long to wait for a server that has not received the revocation, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Creates credentials of the chosen NATS account and connects. */
export async function createNatsTrial(): Promise<TrialResult> {
  const { region, account: id } = currentSelection();
  if (!region || !id) return notCreated('Choose a NATS account first, in the steps above.');
  const account = await fetchResult(() =>
    natsAccounts[':nats_account_id'].$get({ param: { region, nats_account_id: id } }),
  );
  if (!account.ok) return account;
  if (account.body.websockets.length === 0) return notCreated(NO_WEBSOCKET);
  const issued = await issue((key) =>
    withUserKey({ request: key, accountId: id, name: NAME }, (userKey) => {
      const json = { nats_account_id: id, name: NAME, ...userKey };
      return fetchResult(() =>
        natsCredentials.$post({ param: { region }, header: idempotent(key, id), json }),
      );
    }),
  );
  if (!issued.ok) return issued;
  try {
    const connection = await connect(account.body, issued.body);
    return { ok: true, trial: new NatsTrial(account.body, issued.body, connection) };
  } catch {
    const revoked = await revoke(issued.body);
    const left = revoked.ok ? '' : ` Revoke “${NAME}”, in the panel above: it is left over.`;
    return notCreated(`This page could not reach NATS in ${regionLabel(region)}.${left}`);
  }
}

function revoke({ id, region }: IssuedNatsCredentials, init: RequestInit = {}) {
  const request = { param: { region, credentials_id: id } };
  return fetchResult<unknown>(() => natsCredentials[':credentials_id'].$delete(request, { init }));
}

class NatsTrial implements TrialCredentials {
  readonly where: string;
  readonly #account: NatsAccount;
  readonly #issued: IssuedNatsCredentials;
  #connection: NatsConnection;
  /** The time when the connection closed, from `performance.now()`. */
  #ended: Promise<number>;
  #sent = 0;

  constructor(account: NatsAccount, issued: IssuedNatsCredentials, connection: NatsConnection) {
    this.where = `NATS in ${regionLabel(account.region)}`;
    this.#account = account;
    this.#issued = issued;
    this.#connection = connection;
    this.#ended = endOf(connection);
  }

  async use(): Promise<Use | undefined> {
    const began = performance.now();
    const action = `Message ${++this.#sent}`;
    try {
      await exchange(this.#connection, action);
      return { action, outcome: 'accepted', text: `Received, ${since(began)}` };
    } catch {
      if (!this.#connection.isClosed()) return { action, outcome: 'unknown', text: 'Not received' };
      // The server may have been restarted. It gives the reason when a client connects again.
      return this.#connectAgain();
    }
  }

  revoke(init?: RequestInit) {
    return revoke(this.#issued, init);
  }

  async observeRevocation(
    { sentAt, answeredAt, headers }: Answered,
    log: (use: Use) => void,
  ): Promise<Notice> {
    const patience = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE_MS));
    const cutAt = await Promise.race([this.#ended, patience]);
    if (cutAt === undefined) {
      return pending(
        `The connection is still open: its server has not received the revocation yet.${receipt(headers)}`,
      );
    }
    if (cutAt >= sentAt) {
      log({ action: 'Connection', outcome: 'denied', text: `Cut by the server, ${since(sentAt, cutAt)}` });
    }
    const again = await this.#connectAgain();
    log(again);
    const cut = cutBetween(sentAt, cutAt, answeredAt);
    switch (again.outcome) {
      case 'denied':
        return outcome(`${cut} Connecting again is denied.`, headers);
      case 'accepted':
        return failure(`${cut} Connecting again was accepted: some server has not received the revocation.`);
      case 'unknown':
        return pending(`${cut} No server responded to connecting again.${receipt(headers)}`);
    }
  }

  close(): void {
    void this.#connection.close();
  }

  async #connectAgain(): Promise<Use> {
    const action = 'Connect again';
    try {
      this.#connection = await connect(this.#account, this.#issued);
      this.#ended = endOf(this.#connection);
      return { action, outcome: 'accepted', text: 'Accepted' };
    } catch (error) {
      return isRefusal(error)
        ? { action, outcome: 'denied', text: 'Denied: Authorization Violation' }
        : { action, outcome: 'unknown', text: 'No answer' };
    }
  }
}

function cutBetween(sentAt: number, cutAt: number, answeredAt: number): string {
  if (cutAt < sentAt) return 'The connection had ended before.';
  const when = cutAt <= answeredAt ? 'before its response' : `${since(answeredAt, cutAt)} after its response`;
  return `The open connection was cut ${since(sentAt, cutAt)} after the revocation was sent, ${when}.`;
}

/** Returns the time when the server closed the connection. Its reason arrives slightly before the client closes. */
async function endOf(connection: NatsConnection): Promise<number> {
  for await (const { type } of connection.status()) {
    if (type === 'error' || type === 'disconnect' || type === 'close') break;
  }
  return performance.now();
}
