/** NATS clients for tests, with creds from the API. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { credsText } from '../../functions/nats/creds.ts';
import { userJwt } from '../../functions/nats/jwt.ts';
import { createKey, importSeed } from '../../functions/nats/keys.ts';
import { regionBinding } from '../../functions/shared/regions.ts';
import { ensureSecrets } from '../stack/secrets.ts';
import { api, type LocalStack } from './local-stack.ts';

/** Creds from the API. */
export interface Creds {
  id: string;
  account: string;
  region: string;
  /** The text of the `.creds` file. */
  content: string;
}

/** Creates creds, of a new account unless one is given. */
export async function newCreds(
  local: LocalStack,
  region: string,
  account?: string,
  name = '日本語 🔑',
): Promise<Creds> {
  const at = `/mnq/v1beta1/regions/${region}`;
  const id = account ?? (await newAccount(local, region));
  const made = await api<{ id: string; credentials: { content: string } }>(
    local,
    'POST',
    `${at}/nats-credentials`,
    { nats_account_id: id, name },
  );
  return { id: made.id, account: id, region, content: made.credentials.content };
}

/** Creates a NATS account in the Owner's project and returns its ID. */
export async function newAccount(local: LocalStack, region: string): Promise<string> {
  const body = { project_id: local.owner.project_id };
  return (await api<{ id: string }>(local, 'POST', `/mnq/v1beta1/regions/${region}/nats-accounts`, body)).id;
}

/** The response to a DELETE. */
export interface Removal {
  /** The header with the state of enforcement. */
  enforcement: string;
  receipt: string | null;
  /** Duration in milliseconds. */
  took: number;
}

/** Revokes credentials. */
export function revoke(local: LocalStack, { region, id }: Creds): Promise<Removal> {
  return remove(local, region, `/nats-credentials/${id}`);
}

/** Deletes a NATS account. */
export function deleteAccount(local: LocalStack, region: string, account: string): Promise<Removal> {
  return remove(local, region, `/nats-accounts/${account}`);
}

async function remove({ stack, owner }: LocalStack, region: string, path: string): Promise<Removal> {
  const start = performance.now();
  const response = await fetch(`${stack.origin}/mnq/v1beta1/regions/${region}${path}`, {
    method: 'DELETE',
    headers: { 'X-Auth-Token': owner.secret_key },
  });
  if (response.status !== 204) throw new Error(`DELETE ${path} returned ${response.status}`);
  return {
    enforcement: response.headers.get('Latchkey-Enforcement') ?? '',
    receipt: response.headers.get('Latchkey-Receipt'),
    took: performance.now() - start,
  };
}

/** Revokes credentials in the database only, as if the servers had confirmed it and lost it again. */
export async function revokeInDatabase(
  { stack }: LocalStack,
  { region, account, content }: Creds,
): Promise<void> {
  const database = await stack.database(regionBinding('REGION', region));
  const now = Math.floor(Date.now() / 1000) + 1;
  await database.batch([
    database
      .prepare(
        'insert into nats_revocations (account_id, user_key, revoked_at, issued_at) values (?1, ?2, ?3, ?3)',
      )
      .bind(account, claimsOf(userJwtOf(content)).sub, now),
    database
      .prepare(
        'update nats_accounts set revision = revision + 1, acknowledged_revision = revision + 1 where id = ?',
      )
      .bind(account),
  ]);
}

/** Returns the API's state of enforcement of an account's newest revision. */
export async function enforcementOf(local: LocalStack, region: string, account: string) {
  const path = `/mnq/v1beta1/regions/${region}/nats-accounts/${account}`;
  type Account = { enforcement: { state: string; revision: number; servers: number } };
  return (await api<Account>(local, 'GET', path)).enforcement;
}

/** Returns the claims of a JWT without verifying it. */
export function claimsOf(jwt: string): {
  sub: string;
  iat: number;
  exp?: number;
  nats: { revocations?: Record<string, number>; signing_keys?: string[] };
} {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
}

/** Returns the user JWT of a `.creds` file. */
export function userJwtOf(content: string): string {
  return content.split('\n')[1] ?? '';
}

/** Returns the account JWT that the resolver serves. */
export async function accountJwtOf({ stack }: LocalStack, region: string, account: string): Promise<string> {
  return (await fetch(`${stack.origin}/jwt/v1/${region}/accounts/${account}`)).text();
}

/** Connects as a user of a region's system account with every permission. */
async function systemConnection({ stack, state }: LocalStack, region: string): Promise<NatsConnection> {
  const { worker } = await ensureSecrets(state, [region]);
  const issuer = await importSeed(worker[regionBinding('SYSTEM_SEED', region)] ?? '');
  const user = await createKey('user');
  const jwt = await userJwt({
    publicKey: user.publicKey,
    name: 'test',
    issuer,
    issuerAccount: issuer.publicKey,
    issuedAt: Math.floor(Date.now() / 1000),
  });
  return connectWith(stack.nats.get(region)?.url ?? '', credsText(jwt, user.seed));
}

/** Pushes an account JWT to the server, bypassing the Worker. */
export async function pushJwt(
  local: LocalStack,
  region: string,
  account: string,
  jwt: string,
): Promise<void> {
  const connection = await systemConnection(local, region);
  const response = await connection.request(`$SYS.REQ.ACCOUNT.${account}.CLAIMS.UPDATE`, jwt);
  const { data } = response.json<{ data?: { code: number } }>();
  await connection.close();
  if (data?.code !== 200) throw new Error(`the server rejected the JWT: ${response.string()}`);
}

/** Returns the account JWT that the server has loaded. */
export async function heldJwt(
  local: LocalStack,
  region: string,
  account: string,
): Promise<string | undefined> {
  const connection = await systemConnection(local, region);
  const response = await connection.request('$SYS.REQ.SERVER.PING.ACCOUNTZ', JSON.stringify({ account }));
  await connection.close();
  return response.json<{ data?: { account_detail?: { jwt?: string } } }>().data?.account_detail?.jwt;
}

/** The errors of a connection that the server closed: a client that writes at that moment can lose the reason. */
export const CUT = /revoked|EPIPE|ECONNRESET/i;

/** Returns why the server closed a connection, or `still open` after a time that is long for any machine. */
export async function endOf(connection: NatsConnection): Promise<string> {
  return String(await Promise.race([connection.closed(), sleep(20_000, 'still open')]));
}

/** Connects to a server with creds, without reconnecting. Rejects if the server refuses. */
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

/** Whether the server accepts the creds: `yes`, `refused`, or `unreachable`. */
export async function access(url: string, content: string): Promise<'yes' | 'refused' | 'unreachable'> {
  try {
    await (await connectWith(url, content)).close();
    return 'yes';
  } catch (error) {
    return /authorization|authentication/i.test(String(error)) ? 'refused' : 'unreachable';
  }
}

/**
 * A client that must stay unaffected by changes to others: publishes numbers to itself and counts what it receives.
 */
export interface Bystander {
  /** Stops it and resolves to what it noticed: numbers missing or out of order, and disconnects. */
  end(): Promise<{ sent: number; gaps: number; disconnects: number }>;
}

/** Starts a bystander on a connection with a unique subject. */
export async function bystander(url: string, content: string): Promise<Bystander> {
  const subject = `numbers.${crypto.randomUUID()}`;
  const connection = await connectWith(url, content, { reconnect: true });
  let sent = 0;
  let expected = 0;
  let gaps = 0;
  let disconnects = 0;
  connection.subscribe(subject, {
    callback: (_error, message) => {
      if (Number(message.string()) !== expected++) gaps++;
    },
  });
  (async () => {
    for await (const { type } of connection.status()) if (type === 'disconnect') disconnects++;
  })();
  const timer = setInterval(() => connection.publish(subject, String(sent++)), 2);
  // A test that fails, or whose server ends, may never call `end`: publishing would fail forever, in the tests that follow.
  connection.closed().finally(() => clearInterval(timer));
  return {
    async end() {
      clearInterval(timer);
      await connection.flush();
      await connection.close();
      return { sent, gaps: gaps + (sent - expected), disconnects };
    },
  };
}
