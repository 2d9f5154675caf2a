/**
 * How a real nats-server handles the JWTs and creds of functions/nats: the server is configured with them directly,
 * without the Worker. It is the one on PATH, or the one in NATS_SERVER.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { credsText } from '../../functions/nats/creds.ts';
import { accountJwt, operatorJwt, systemAccountJwt, userJwt } from '../../functions/nats/jwt.ts';
import { createKey, importSeed, type SigningKey } from '../../functions/nats/keys.ts';

interface Account {
  id: string;
  identity: SigningKey;
  signing: SigningKey;
}

type UserOptions = Partial<Parameters<typeof userJwt>[0]>;

const now = Math.floor(Date.now() / 1000);
let directory: string;
let server: ChildProcess;
let port: number;
let system: Account;
let one: Account;
let other: Account;
let revoking: Account;
let limited: Account;
let expiredAccount: Account;
const open: NatsConnection[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nats-encoder-'));
  const identity = await newSigningKey('operator');
  const issuer = await newSigningKey('operator');
  [system, one, other, revoking, limited, expiredAccount] = (await Promise.all(
    Array.from({ length: 6 }, newAccount),
  )) as [Account, Account, Account, Account, Account, Account];
  const account = (
    { id, signing }: Account,
    more: Partial<Parameters<typeof accountJwt>[0]> = {},
  ): Promise<string> =>
    accountJwt({ id, issuer, signingKeys: [signing.publicKey], issuedAt: now, revocations: {}, ...more });
  port = await start({
    operator: await operatorJwt({
      name: 'テスト 🗝️',
      identity,
      signingKeys: [issuer.publicKey],
      now: now * 1000,
    }),
    [system.id]: await systemAccountJwt({ id: system.id, issuer, issuedAt: now }),
    [one.id]: await account(one),
    [other.id]: await account(other),
    [revoking.id]: await account(revoking, { revocations: { '*': now - 10 } }),
    [limited.id]: await account(limited, {
      limits: { connections: 1, payload: 4096, streams: 1, disk: 1 << 20 },
    }),
    [expiredAccount.id]: await account(expiredAccount, { expiresAt: now - 1 }),
  });
}, 20_000);

afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
});

afterAll(async () => {
  if (server?.exitCode === null) {
    const exit = once(server, 'exit');
    server.kill('SIGTERM');
    await exit;
  }
  await rm(directory, { recursive: true, force: true });
});

async function publishBytes(connection: NatsConnection, size: number): Promise<void> {
  connection.publish('a', new Uint8Array(size));
  await connection.flush();
}

describe('a real nats-server', () => {
  it('lets a user with our creds publish, subscribe and request, whatever the user’s name', async () => {
    const [sender, receiver] = [await user(one, { name: '倉庫 🏭' }), await user(one, { name: 'a"b\n' })];
    receiver.subscribe('orders.*', {
      callback: (_, message) => void message.respond(`got ${message.string()}`),
    });
    await receiver.flush();
    const response = await sender.request('orders.new', '東京');
    expect(response.string()).toBe('got 東京');
  });

  it('isolates the messages of accounts from each other', async () => {
    const [sender, inside, outside] = [await user(one), await user(one), await user(other)];
    const seen: string[] = [];
    inside.subscribe('>', { callback: () => void seen.push('inside') });
    outside.subscribe('>', { callback: () => void seen.push('outside') });
    await Promise.all([inside.flush(), outside.flush()]);
    sender.publish('private', 'x');
    await Promise.all([sender.flush(), inside.flush(), outside.flush()]);
    expect(seen).toEqual(['inside']);
  });

  it.each(['memory', 'file'] as const)('stores a JetStream message in %s and returns it', async (storage) => {
    const connection = await user(one);
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: storage, subjects: [`${storage}.>`], storage });
    await jetstream(connection).publish(`${storage}.a`, '在庫');
    await manager.consumers.add(storage, { durable_name: 'reader', ack_policy: 'explicit' });
    const message = await (await jetstream(connection).consumers.get(storage, 'reader')).next({
      expires: 2000,
    });
    expect(message?.string()).toBe('在庫');
    expect(await message?.ackAck()).toBe(true);
  });

  it('accepts a user signed by the account’s identity key', async () => {
    await (await user(one, { issuer: one.identity })).flush();
  });

  it('rejects a user signed by another account’s key', async () => {
    await expect(user(one, { issuer: other.signing })).rejects.toThrow(/authorization violation/i);
  });

  it('rejects an expired user, and disconnects one that expires', async () => {
    await expect(user(one, { issuedAt: now - 60, expiresAt: now - 30 })).rejects.toThrow(
      /authorization violation|expired/i,
    );
    const short = await user(one, { expiresAt: Math.floor(Date.now() / 1000) + 4 });
    expect(String(await short.closed())).toMatch(/expired/i);
  });

  it('rejects every user created before the revocation of all, and accepts one created later', async () => {
    await expect(user(revoking, { issuedAt: now - 10 })).rejects.toThrow(/authorization violation|revoked/i);
    await (await user(revoking, { issuedAt: now - 9 })).flush();
  });

  it('rejects an account with an expired JWT', async () => {
    await expect(user(expiredAccount)).rejects.toThrow(/authorization violation|expired/i);
  });

  it('enforces the limits of an account', async () => {
    const connection = await user(limited);
    // No message is expected: the server can close the socket before the client reads the reason.
    await expect(user(limited)).rejects.toThrow();
    const { streams } = await jetstreamManager(connection);
    await expect(streams.add({ name: 'large', max_bytes: 2 << 20 })).rejects.toThrow(/storage|resources/i);
    await streams.add({ name: 'first', max_bytes: 1024 });
    await expect(streams.add({ name: 'second', max_bytes: 1024 })).rejects.toThrow(/maximum.*streams/i);
    await publishBytes(connection, 4096);
    // Rejected by the client, or by a server that does not report the account's limit to it.
    await expect(publishBytes(connection, 4097)).rejects.toThrow();
  });

  it('responds to a system user, within its permissions only', async () => {
    const permissions = { publish: ['$SYS.REQ.SERVER.PING'], subscribe: ['_INBOX.>'] };
    const connection = await user(system, { issuer: system.identity, expiresAt: now + 60, permissions });
    const response = await connection.request('$SYS.REQ.SERVER.PING', '');
    expect(response.json<{ server: { ver: string } }>().server.ver).toMatch(/^2\./);
    expect(await refused(connection, () => connection.publish('$SYS.REQ.ACCOUNT.X.CONNZ'))).toMatch(
      /publish/i,
    );
    expect(await refused(connection, () => connection.subscribe('$SYS.>'))).toMatch(/subscription/i);
  });

  it('denies everything to a user with empty permission lists', async () => {
    const connection = await user(one, { permissions: { publish: [], subscribe: [] } });
    expect(await refused(connection, () => connection.publish('a'))).toMatch(/publish/i);
    expect(await refused(connection, () => connection.subscribe('a'))).toMatch(/subscription/i);
  });
});

async function newSigningKey(kind: 'operator' | 'account'): Promise<SigningKey> {
  return importSeed((await createKey(kind)).seed);
}

async function newAccount(): Promise<Account> {
  const identity = await newSigningKey('account');
  return { id: identity.publicKey, identity, signing: await newSigningKey('account') };
}

/** Connects a new user of the account. Rejects on any error from the server. */
async function user(account: Account, options: UserOptions = {}): Promise<NatsConnection> {
  const { publicKey, seed } = await createKey('user');
  const jwt = await userJwt({
    publicKey,
    name: 'worker',
    issuer: account.signing,
    issuerAccount: account.id,
    issuedAt: now,
    ...options,
  });
  const connection = await connect({
    port,
    authenticator: credsAuthenticator(new TextEncoder().encode(credsText(jwt, seed))),
    reconnect: false,
  });
  open.push(connection);
  return connection;
}

/** Returns the error that the server reports for `act` on the connection. */
async function refused(connection: NatsConnection, act: () => unknown): Promise<string> {
  const status = connection.status();
  act();
  await connection.flush();
  for await (const event of status) if (event.type === 'error') return event.error.message;
  return 'nothing';
}

/** Starts the server with the operator's and the accounts' JWTs, by ID, on a free port. */
async function start({ operator, ...accounts }: Record<string, string>): Promise<number> {
  const configuration = join(directory, 'server.conf');
  await writeFile(
    configuration,
    `listen: 127.0.0.1:-1
     operator: ${operator}
     system_account: ${system.id}
     resolver: MEMORY
     resolver_preload: ${JSON.stringify(accounts, null, 1)}
     jetstream { store_dir: ${JSON.stringify(directory)}, max_mem: 64M, max_file: 64M }`,
  );
  server = spawn(process.env.NATS_SERVER ?? 'nats-server', ['--config', configuration], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log: string[] = [];
  let found = 0;
  for await (const line of createInterface({ input: server.stderr as NodeJS.ReadableStream })) {
    log.push(line);
    found ||= Number(/client connections on 127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? 0);
    if (line.includes('Server is ready')) break;
  }
  if (!found) throw new Error(`nats-server did not start:\n${log.join('\n')}`);
  server.stderr?.resume();
  return found;
}
