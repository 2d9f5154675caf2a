/**
 * Connects from the page to a region's nats-servers over WebSocket, with new credentials. Does not store them. Contains the
 * NATS client, so it loads on first use.
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

export const NO_WEBSOCKET = 'The servers of this region have no WebSocket address for browsers.';

/** Connects once, without reconnecting. Rejects if the credentials are refused or no server can be reached. */
export function connect(
  { websockets: servers }: NatsAccount,
  { credentials }: IssuedNatsCredentials,
): Promise<NatsConnection> {
  const authenticator = credsAuthenticator(new TextEncoder().encode(credentials.content));
  return wsconnect({ servers, authenticator, reconnect: false, timeout: PATIENCE_MS, wsFactory: openSocket });
}

/** Browsers complain about nats-server's response to a close without a code, so this always sends one. */
async function openSocket(url: string): Promise<{ socket: WebSocket; encrypted: boolean }> {
  const socket = new WebSocket(url);
  const close = socket.close.bind(socket);
  socket.close = (code = 1000, reason) => close(code, reason);
  return { socket, encrypted: url.startsWith('wss:') };
}

/** Publishes a text and returns what was received. Rejects if nothing was, or if the connection closed. */
export async function exchange(connection: NatsConnection, text: string): Promise<string> {
  const subject = `latchkey.test.${crypto.randomUUID()}`;
  const inbox = connection.subscribe(subject, { max: 1, timeout: PATIENCE_MS });
  connection.publish(subject, text);
  for await (const message of inbox) return message.string();
  throw new Error('The connection ended');
}

/** Returns whether a server has refused the credentials: they were revoked or have expired. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;

/** Connects, and publishes and receives a message unless the credentials have a role. Returns the outcome. */
export async function tryCreds(issued: IssuedNatsCredentials, account: NatsAccount): Promise<Notice> {
  if (account.websockets.length === 0) return info(NO_WEBSOCKET);
  const where = `NATS in ${regionLabel(account.region)}`;
  const began = performance.now();
  try {
    const connection = await connect(account, issued);
    try {
      // The role may not allow a test subject.
      if (issued.nats_role_id) {
        const took = Math.round(performance.now() - began);
        return success(
          `Connected to ${where} in ${took} ms. No message was sent, because the credentials have a role.`,
        );
      }
      const received = await exchange(connection, 'it works');
      const took = Math.round(performance.now() - began);
      return success(
        `Connected to ${where}, published a message and received it: “${received}”. It took ${took} ms.`,
      );
    } finally {
      // The API records uses when it lists the open connections of the servers.
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
