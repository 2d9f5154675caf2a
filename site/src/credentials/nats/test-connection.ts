/**
 * NATS connections from the page itself, over the websocket of the region's servers, with creds that were just made.
 * Keeps nothing of them. Carries the NATS client, so it is loaded when somebody wants to try some.
 */
import {
  AuthorizationError,
  credsAuthenticator,
  type NatsConnection,
  UserAuthenticationExpiredError,
  wsconnect,
} from '@nats-io/nats-core';
import { type IssuedNatsCredentials, type NatsAccount, natsCredentials } from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import { failure, info, type Notice, success } from '../../ui/panels/notice.ts';
import { regionLabel } from '../../workspace/region-label.ts';

const PATIENCE_MS = 5_000;

/** What to say where the region's servers have no websocket. */
export const NO_WEBSOCKET = 'The servers of this region have no WebSocket address for browsers.';

/** Connects, once: no reconnect. Rejects when it is refused, or when no server could be reached. */
export function connect(
  { websockets: servers }: NatsAccount,
  { credentials }: IssuedNatsCredentials,
): Promise<NatsConnection> {
  const authenticator = credsAuthenticator(new TextEncoder().encode(credentials.content));
  return wsconnect({ servers, authenticator, reconnect: false, timeout: PATIENCE_MS, wsFactory: openSocket });
}

/** A nats-server answers a close that gives no code with one that browsers complain of: this one always gives a code. */
async function openSocket(url: string): Promise<{ socket: WebSocket; encrypted: boolean }> {
  const socket = new WebSocket(url);
  const close = socket.close.bind(socket);
  socket.close = (code = 1000, reason) => close(code, reason);
  return { socket, encrypted: url.startsWith('wss:') };
}

/** Publishes a text and resolves to what was received of it. Rejects when nothing was, or the connection ended. */
export async function exchange(connection: NatsConnection, text: string): Promise<string> {
  const subject = `latchkey.test.${crypto.randomUUID()}`;
  const inbox = connection.subscribe(subject, { max: 1, timeout: PATIENCE_MS });
  connection.publish(subject, text);
  for await (const message of inbox) return message.string();
  throw new Error('The connection ended');
}

/** Whether a server has refused the creds: they were revoked, or have expired. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;

/** Connects with creds, publishes and receives. Resolves to what came of it, for a person. */
export async function tryCreds(issued: IssuedNatsCredentials, account: NatsAccount): Promise<Notice> {
  if (account.websockets.length === 0) return info(NO_WEBSOCKET);
  const where = `NATS in ${regionLabel(account.region)}`;
  const began = performance.now();
  try {
    const connection = await connect(account, issued);
    try {
      const received = await exchange(connection, 'it works');
      const took = Math.round(performance.now() - began);
      return success(
        `Connected to ${where}, published a message and received it: “${received}”. It took ${took} ms.`,
      );
    } finally {
      // The API learns of a use only from the servers' lists of open connections.
      void fetchResult(() => {
        const param = { region: account.region, credentials_id: issued.id };
        return natsCredentials[':credentials_id'].connections.$get({ param });
      }).finally(() => connection.close());
    }
  } catch (error) {
    return failure(
      isRefusal(error)
        ? `Refused by ${where}. Have these credentials been revoked?`
        : `This page could not reach ${where}. Test them from where your service runs, with a command above.`,
    );
  }
}
