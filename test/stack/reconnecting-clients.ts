/**
 * Many NATS accounts, each with a client that reconnects as the official libraries do: every two seconds with some
 * jitter, until a server refuses it twice in a row. Then it gives up. They use TLS if the server requires it. The clients implement only the handshake, because
 * thousands of full ones would use more of a small machine than the servers.
 */
import { createPrivateKey, sign } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { D1Database } from '@cloudflare/workers-types';
import { userJwt } from '../../functions/nats/jwt.ts';
import { createKey, importSeed, KEY_BYTES, keyOf } from '../../functions/nats/keys.ts';

/** As in the libraries; times in milliseconds. */
const RECONNECT_WAIT = 2_000;
const JITTER = 100;
const JITTER_TLS = 1_000;
const MAX_REFUSALS = 2;
/** How many connect at once for the first time: a slow resolver must not make them give up before a test begins. */
const FIRST_AT_ONCE = 20;

/** A client, and what has happened to it so far. */
interface Client {
  state: 'connecting' | 'connected' | 'gave up';
  /** How often a server has refused it, in total. */
  refusals: number;
  dial(): void;
  stop(): void;
}

/** A running client for each account. */
export interface ReconnectingClients {
  accounts: readonly string[];
  /** Resolves when each client has connected or given up. */
  settled(): Promise<void>;
  connected(): number;
  gaveUp(): number;
  /** How often a server has refused a client, in total. */
  refusals(): number;
  /** Starts clients that gave up again. Resolves when all are connected or have given up. */
  revive(): Promise<void>;
  stop(): void;
}

/** Inserts accounts into a region's database and starts a client for each. `port` is the nats-server's. */
export async function startReconnectingClients(
  database: D1Database,
  port: number,
  count: number,
): Promise<ReconnectingClients> {
  const made = await Promise.all(Array.from({ length: count }, newAccount));
  await insertAccounts(database, made);
  const clients = made.map(({ jwt, signNonce }) => clientOf(port, jwt, signNonce));
  const countIn = (state: Client['state']) => clients.filter((client) => client.state === state).length;
  const settled = async () => {
    while (countIn('connecting') > 0) await sleep(20);
  };
  const dialSlowly = async (all: readonly Client[]) => {
    for (const [index, client] of all.entries()) {
      client.dial();
      if (index % FIRST_AT_ONCE === 0) await settled();
    }
    await settled();
  };
  await dialSlowly(clients);
  return {
    accounts: made.map(({ id }) => id),
    connected: () => countIn('connected'),
    gaveUp: () => countIn('gave up'),
    refusals: () => clients.reduce((sum, { refusals }) => sum + refusals, 0),
    settled,
    revive: () => dialSlowly(clients.filter(({ state }) => state === 'gave up')),
    stop() {
      for (const client of clients) client.stop();
    },
  };
}

interface NewAccount {
  id: string;
  signingKey: string;
  /** The JWT of its user. */
  jwt: string;
  signNonce(nonce: string): string;
}

/** Returns an account with a user. Nothing needs its signing seed any more. */
async function newAccount(): Promise<NewAccount> {
  const [account, signing, user] = [
    await createKey('account'),
    await createKey('account'),
    crypto.getRandomValues(new Uint8Array(KEY_BYTES)),
  ];
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), user]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { publicKey } = await keyOf('user', user);
  const jwt = await userJwt({
    publicKey,
    name: 'client',
    issuer: await importSeed(signing.seed),
    issuerAccount: account.publicKey,
    issuedAt: Math.floor(Date.now() / 1000),
  });
  const signNonce = (nonce: string) => sign(null, Buffer.from(nonce), key).toString('base64url');
  return { id: account.publicKey, signingKey: signing.publicKey, jwt, signNonce };
}

/** Inserts them as guests' accounts, whose storage limits together fit a local server. */
async function insertAccounts(database: D1Database, accounts: readonly NewAccount[]): Promise<void> {
  const rows = JSON.stringify(accounts.map(({ id, signingKey }) => ({ id, signingKey })));
  await database
    .prepare(
      `insert into nats_accounts (id, organization_id, project_id, name, signing_key, sealed_signing_seed,
         sealing_key_id, revision, issued_at, acknowledged_revision, acknowledged_servers, servers, created_at,
         updated_at, guest)
       select value ->> 'id', 'many', 'many', 'many', value ->> 'signingKey', '', '', 1, ?2, 1, 0, 0, ?3, ?3, 1
       from json_each(?1)`,
    )
    .bind(rows, Math.floor(Date.now() / 1000), Date.now())
    .run();
}

function clientOf(port: number, jwt: string, signNonce: (nonce: string) => string): Client {
  let socket: Socket | undefined;
  let retry: NodeJS.Timeout | undefined;
  let inARow = 0;
  const client: Client = {
    state: 'gave up',
    refusals: 0,
    dial,
    stop() {
      clearTimeout(retry);
      socket?.removeAllListeners('close').destroy();
    },
  };
  function dial(): void {
    client.state = 'connecting';
    listenTo(connect({ port, host: '127.0.0.1', noDelay: true }), JITTER);
  }
  function listenTo(opened: Socket, jitter: number): void {
    let received = '';
    socket = opened;
    opened.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const lines = received.split('\r\n');
      received = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('INFO ') && client.state === 'connecting') {
          const { nonce, tls_required } = JSON.parse(line.slice(5)) as { nonce: string; tls_required?: true };
          if (tls_required) return startTls(opened, nonce);
          sendConnect(opened, nonce);
        }
        if (line === 'PONG') [client.state, inARow] = ['connected', 0];
        if (line === 'PING') opened.write('PONG\r\n');
        if (line.startsWith("-ERR 'Authorization Violation'")) {
          client.refusals++;
          inARow++;
        }
      }
    });
    opened.on('error', () => {});
    opened.on('close', () => {
      client.state = inARow < MAX_REFUSALS ? 'connecting' : 'gave up';
      if (client.state === 'gave up') inARow = 0;
      if (client.state === 'connecting') retry = setTimeout(dial, RECONNECT_WAIT + Math.random() * jitter);
    });
  }
  function startTls(plain: Socket, nonce: string): void {
    plain.removeAllListeners().on('error', () => {});
    const secured = connectTls({ socket: plain, rejectUnauthorized: false }, () =>
      sendConnect(secured, nonce),
    );
    listenTo(secured, JITTER_TLS);
  }
  function sendConnect(to: Socket, nonce: string): void {
    const options = { jwt, sig: signNonce(nonce), verbose: false, protocol: 1, lang: 'test', version: '1' };
    to.write(`CONNECT ${JSON.stringify(options)}\r\nPING\r\n`);
  }
  return client;
}
