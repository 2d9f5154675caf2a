/** A real NATS client for tests, with creds from the API. */
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { api, type LocalStack } from './local-stack.ts';

/** Creds as the API made them. */
export interface Creds {
  id: string;
  account: string;
  region: string;
  /** The text of the `.creds` file. */
  content: string;
}

/** New creds, of a new account unless one is named. */
export async function newCreds(local: LocalStack, region: string, account?: string): Promise<Creds> {
  const at = `/mnq/v1beta1/regions/${region}`;
  const id = account ?? (await newAccount(local, region));
  const made = await api<{ id: string; credentials: { content: string } }>(
    local,
    'POST',
    `${at}/nats-credentials`,
    { nats_account_id: id, name: '日本語 🔑' },
  );
  return { id: made.id, account: id, region, content: made.credentials.content };
}

/** The id of a new NATS account of the Owner's project. */
export async function newAccount(local: LocalStack, region: string): Promise<string> {
  const body = { project_id: local.owner.project_id };
  return (await api<{ id: string }>(local, 'POST', `/mnq/v1beta1/regions/${region}/nats-accounts`, body)).id;
}

/** Connects with creds to a server, once: no reconnect. Rejects when it is refused. */
export function connectWith(
  url: string,
  content: string,
  more: { reconnect?: boolean } = {},
): Promise<NatsConnection> {
  return connect({
    servers: url,
    authenticator: credsAuthenticator(new TextEncoder().encode(content)),
    reconnect: false,
    timeout: 5_000,
    ...more,
  });
}

/** Whether the server lets the creds in: `yes`, `refused`, or `unreachable`. */
export async function access(url: string, content: string): Promise<'yes' | 'refused' | 'unreachable'> {
  try {
    await (await connectWith(url, content)).close();
    return 'yes';
  } catch (error) {
    return /authorization|authentication/i.test(String(error)) ? 'refused' : 'unreachable';
  }
}

/** Somebody who must not notice what happens to others: publishes numbers to itself and counts what comes back. */
export interface Bystander {
  /** Ends it and resolves to what it noticed: numbers missing or out of order, and disconnects. */
  end(): Promise<{ sent: number; gaps: number; disconnects: number }>;
}

/** Starts a bystander on a connection of its own. */
export async function bystander(url: string, content: string): Promise<Bystander> {
  const connection = await connectWith(url, content, { reconnect: true });
  let sent = 0;
  let expected = 0;
  let gaps = 0;
  let disconnects = 0;
  connection.subscribe('numbers', {
    callback: (_error, message) => {
      if (Number(message.string()) !== expected++) gaps++;
    },
  });
  (async () => {
    for await (const { type } of connection.status()) if (type === 'disconnect') disconnects++;
  })();
  const timer = setInterval(() => connection.publish('numbers', String(sent++)), 2);
  return {
    async end() {
      clearInterval(timer);
      await connection.flush();
      await connection.close();
      return { sent, gaps: gaps + (sent - expected), disconnects };
    },
  };
}
