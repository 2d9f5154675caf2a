/** A project with credentials whose guard, database and engine a test watches, delays and breaks. */
import type { DurableObjectNamespace } from '@cloudflare/workers-types';
import { AwsClient } from 'aws4fetch';
import { vi } from 'vitest';
import { admit } from '../../functions/guard/guards.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { type Config, configOf, type Region } from '../../functions/shared/env.ts';
import { env, envWithEngine } from './env.ts';
import { intercepted } from './fault.ts';
import { type ApiResponse, type CallOptions, clientOf, newOwner, ORIGIN } from './harness.ts';
import { localGuards } from './local-guards.ts';

/** The guard's query. */
const GUARDS_QUERY = /"sqsPrefix"/;

/** A project with Queues credentials. */
export interface Tenant {
  owner: Owner;
  bindings: typeof env;
  config: Config;
  region: Region;
  id: string;
  accessKey: string;
  /** The name of the guard's object. */
  guardName: string;
  /** The guard's queries: their number, and faults of the next ones. */
  database: { reads: number; isDown: boolean; until: Promise<void> | undefined };
  /** Sends a request to the API of the region. */
  api(method: string, path: string, body?: unknown, bindings?: typeof env): Promise<ApiResponse>;
  /** Updates the credentials. */
  update(fields: object): Promise<ApiResponse>;
  /** Asks the guard of an access key for the credentials, like the gateway: by default, of the first access key. */
  admitted(accessKey?: string): ReturnType<typeof admit>;
  /** Signs a request with the credentials. */
  signed(action: string, fields?: object, init?: RequestInit): Promise<Request>;
  /** Sends an action to the gateway. Resolves to the status and the error code, or to the status and the body. */
  send(action: string, fields?: object, bindings?: typeof env): Promise<[number, unknown]>;
}

/** Creates a {@link Tenant} whose Worker has these bindings; `guards` wraps the namespace of its guards. */
export async function newTenant(
  settings: object = {},
  guards: (local: DurableObjectNamespace) => DurableObjectNamespace = (local) => local,
): Promise<Tenant> {
  const owner = await newOwner();
  const database: Tenant['database'] = { reads: 0, isDown: false, until: undefined };
  const watched = intercepted(env.REGION_FR_PAR, async (texts, run) => {
    if (!texts.some((text) => GUARDS_QUERY.test(text))) return run();
    database.reads++;
    const { isDown, until } = database;
    if (isDown) throw new Error('D1_ERROR: Network connection lost.');
    const result = await run();
    await until;
    return result;
  });
  const local = { ...envWithEngine, ...settings, REGION_FR_PAR: watched } as typeof env;
  const prefix = crypto.randomUUID();
  const bindings = { ...local, CREDENTIAL_GUARD: guards(localGuards(local, prefix)) };
  const config = configOf(bindings);
  const region = config.regions.get('fr-par') as Region;
  const client = clientOf(owner, 'fr-par');
  const api: Tenant['api'] = (method, path, body, at = bindings) => {
    const options: CallOptions = { env: at };
    const send = client[method.toLowerCase() as 'get'];
    return send(path, body, options) as Promise<ApiResponse>;
  };
  const { project_id } = owner;
  await api('POST', '/activate-sqs', { project_id });
  const permissions = { can_publish: true, can_receive: true, can_manage: true };
  const { body } = await api('POST', '/sqs-credentials', { project_id, permissions });
  const {
    id,
    access_key: accessKey,
    secret_key: secretAccessKey,
  } = body as unknown as Record<'id' | 'access_key' | 'secret_key', string>;
  // A recent use is not recorded again, which would be a call of the guard.
  await env.REGION_FR_PAR.prepare('update credentials set last_used_at = ? where id = ?')
    .bind(Date.now(), id)
    .run();
  const signer = new AwsClient({
    accessKeyId: accessKey,
    secretAccessKey,
    region: 'fr-par',
    service: 'sqs',
  });
  const signed: Tenant['signed'] = async (action, fields = {}, init = {}) => {
    const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `AmazonSQS.${action}` };
    const text = JSON.stringify({ QueueUrl: `${ORIGIN}/project-${project_id}/orders`, ...fields });
    const request = await signer.sign(`${ORIGIN}/`, { method: 'POST', headers, body: text });
    request.headers.set('Host', new URL(ORIGIN).host);
    return new Request(request.url, { method: 'POST', headers: request.headers, body: text, ...init });
  };
  return {
    owner,
    bindings,
    config,
    region,
    id,
    accessKey,
    guardName: `${prefix} fr-par/${accessKey}`,
    database,
    api,
    update: (fields) => api('PATCH', `/sqs-credentials/${id}`, fields),
    admitted: (key = accessKey) => admit(config, region, key),
    signed,
    async send(action, fields, at = bindings) {
      return resultOf(await app.fetch(await signed(action, fields), at));
    },
  };
}

/** Returns the status and the error code of a gateway's response, or its body. */
export async function resultOf(response: Response): Promise<[number, unknown]> {
  const code = response.headers.get('x-amzn-query-error')?.split(';')[0];
  const body: unknown = await response.json();
  return [response.status, code ?? body];
}

/** Fields and response of a SendMessage. */
export const MESSAGE = { MessageBody: 'x' };
export const SENT = { MessageId: 'm', MD5OfMessageBody: '9dd4e461268c8034f5c8564e155c67a6' };

/** The response to a ReceiveMessage with one message. */
export const RECEIVED = {
  Messages: [{ MessageId: 'm', ReceiptHandle: 'r', Body: 'x', MD5OfBody: SENT.MD5OfMessageBody }],
};

/** An engine whose receives wait until the test lets them end. */
export interface WaitingEngine {
  /** The actions that it received. */
  actions: string[];
  /** Ends each waiting receive with a message. */
  deliver(): void;
}

/** Takes the place of the engine. `vi.restoreAllMocks` removes it. */
export function mockEngine(): WaitingEngine {
  const delivered = Promise.withResolvers<void>();
  const engine: WaitingEngine = { actions: [], deliver: () => delivered.resolve() };
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const action = (input as Request).headers.get('X-Amz-Target')?.replace('AmazonSQS.', '') ?? '';
    engine.actions.push(action);
    if (action === 'SendMessage') return Response.json(SENT);
    if (action !== 'ReceiveMessage') return Response.json({ Successful: [{ Id: '0' }] });
    const left = new Promise<never>((_, reject) =>
      init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
    );
    await Promise.race([delivered.promise, left]);
    return Response.json(RECEIVED);
  });
  return engine;
}
