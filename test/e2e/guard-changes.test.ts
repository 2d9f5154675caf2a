/**
 * Guards in the running stack: many clients during each kind of change, receives that wait while their credentials are
 * revoked, a crash between a change and its announcement, and a change that is never announced.
 */
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../functions/gateway/actions.ts';
import { openDatabase } from '../stack/databases.ts';
import { signal } from '../stack/signal.ts';
import { stackDatabases } from '../stack/stack.ts';
import { startEngineRecorder } from './engine-recorder.ts';
import {
  ALL,
  activate,
  type Credentials,
  newCredentials,
  newProject,
  type Permissions,
  sqsClient,
} from './gateway-clients.ts';
import { useStack } from './local-stack.ts';

/** The region whose engine is behind the recorder, and one whose engine is faster without it. */
const RECORDED = 'fr-par';
const REGION = 'nl-ams';
/** Short, because a test waits for its end. */
const LEASE_SECONDS = 5;

const recorder = await startEngineRecorder();
const local = useStack({
  vars: (own) => ({ ...own, ...recorder.vars(own), GUARD: { lease_seconds: LEASE_SECONDS } }),
});
afterAll(() => recorder.stop());

/** Sends a request. Resolves to `ok`, to the code of the error, or to `no response`. */
type Send = () => Promise<string>;

/**
 * Signs a request once, to send it any number of times: 200 clients that sign each request would keep the machine
 * busier than the servers.
 */
async function signedOnce(
  { access_key: accessKeyId, secret_key: secretAccessKey, region }: Credentials,
  service: Service,
  init: { headers: Record<string, string>; body: string },
): Promise<Send> {
  const signer = new AwsClient({ accessKeyId, secretAccessKey, region, service });
  const signed = await signer.sign(`${local.stack.origin}/`, { method: 'POST', ...init });
  return async () => {
    try {
      const response = await fetch(signed.clone());
      const text = await response.text();
      if (response.ok) return 'ok';
      const code = response.headers.get('x-amzn-query-error')?.split(';')[0];
      return code ?? /<Code>(\w+)</.exec(text)?.[1] ?? `${response.status}`;
    } catch {
      return 'no response';
    }
  };
}

const queueAction = (credentials: Credentials, action: string, fields: object) =>
  signedOnce(credentials, 'sqs', {
    headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `AmazonSQS.${action}` },
    body: JSON.stringify(fields),
  });

const listTopics = (credentials: Credentials) =>
  signedOnce(credentials, 'sns', {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'Action=ListTopics&Version=2010-03-31',
  });

/** Sends a change to the API of a region. */
async function send(region: string, method: string, path: string, body?: object): Promise<Response> {
  const { stack, owner } = local;
  return fetch(`${stack.origin}/mnq/v1beta1/regions/${region}${path}`, {
    method,
    headers: { 'X-Auth-Token': owner.secret_key, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
}

/** Makes a change, and expects that it is in force when the API responds. */
async function enforced(region: string, ...change: [method: string, path: string, body?: object]) {
  const response = await send(region, ...change);
  const text = await response.text();
  expect([response.ok, response.headers.get('Latchkey-Enforcement')], text).toEqual([true, 'enforced']);
  return (text ? JSON.parse(text) : null) as Credentials;
}

/** A project with a queue. */
async function newTenant(region: string): Promise<{ projectId: string; QueueUrl: string }> {
  const projectId = await newProject(local);
  await activate(local, region, projectId, ['sqs']);
  const manager = sqsClient(local, await newCredentials(local, 'sqs', ALL, { region, projectId }));
  const { QueueUrl = '' } = await manager.send(new CreateQueueCommand({ QueueName: 'orders' }));
  manager.destroy();
  return { projectId, QueueUrl };
}

const MESSAGE = { MessageBody: 'body' };
const DENIED = 'AccessDenied';
const UNKNOWN = 'InvalidClientTokenId';
const NO_QUEUE = 'AWS.SimpleQueueService.NonExistentQueue';

describe('200 concurrent clients, when the response to a change says that it is enforced:', () => {
  const CLIENTS = 200;
  const FEW = 10;

  /** Clients that repeat a request, and the result that it has before and after the change. */
  interface Clients {
    send: Send;
    count: number;
    before: string;
    after: string;
    /** Another result that requests have while the change is made. */
    during?: string;
  }

  /** The project of a test, and its credentials for Queues. */
  interface Tenant {
    projectId: string;
    credentials: Credentials;
    path: string;
    publish(credentials: Credentials): Promise<Send>;
    create(service: Service, permissions?: Partial<Permissions>): Promise<Credentials>;
  }

  let bystander: Send;

  beforeAll(async () => {
    const { projectId, QueueUrl } = await newTenant(REGION);
    const credentials = await newCredentials(local, 'sqs', ALL, { region: REGION, projectId });
    bystander = await queueAction(credentials, 'SendMessage', { QueueUrl, ...MESSAGE });
  });

  async function tenantOf(permissions: Partial<Permissions>): Promise<Tenant> {
    const { projectId, QueueUrl } = await newTenant(REGION);
    const create = (service: Service, granted: Partial<Permissions> = ALL) =>
      newCredentials(local, service, granted, { region: REGION, projectId });
    const credentials = await create('sqs', permissions);
    return {
      projectId,
      credentials,
      path: `/sqs-credentials/${credentials.id}`,
      publish: (by) => queueAction(by, 'SendMessage', { QueueUrl, ...MESSAGE }),
      create,
    };
  }

  /** Makes the change while the clients repeat their requests, and checks the result of each request. */
  async function changeDuring(groups: readonly Clients[], change: () => Promise<unknown>): Promise<void> {
    const results = groups.map(() => [] as { began: number; result: string }[]);
    let end = Number.POSITIVE_INFINITY;
    const client = async ({ send }: Clients, all: { began: number; result: string }[] = []) => {
      for (let began = 0; began <= end; ) {
        began = performance.now();
        all.push({ began, result: await send() });
      }
    };
    const clients = groups.flatMap((group, at) =>
      Array.from({ length: group.count }, () => client(group, results[at])),
    );
    try {
      await expect.poll(() => results.every((all, at) => all.length >= (groups[at]?.count ?? 0))).toBe(true);
      await change();
    } finally {
      end = performance.now();
      // Each client sends one more request.
      await Promise.all(clients);
    }
    for (const [at, { before, after, during = after, count }] of groups.entries()) {
      const of = (later: boolean) =>
        (results[at] ?? []).filter(({ began }) => began > end === later).map(({ result }) => result);
      expect(of(true)).toEqual(Array(count).fill(after));
      // The requests during the change can have either result.
      expect(new Set([...of(false), before, after, during])).toEqual(new Set([before, after, during]));
      expect(of(false)).toContain(before);
    }
  }

  const many = (send: Send, before: string, after: string): Clients => ({
    send,
    count: CLIENTS,
    before,
    after,
  });
  const unaffected = (send: Send): Clients => ({ send, count: FEW, before: 'ok', after: 'ok' });

  it.each<
    [
      name: string,
      permissions: Partial<Permissions>,
      results: [before: string, after: string],
      change: [method: string, path: string, body?: object],
    ]
  >([
    ['removed permissions', ALL, ['ok', DENIED], ['PATCH', '', { permissions: { can_publish: false } }]],
    [
      'added permissions',
      { can_receive: true },
      [DENIED, 'ok'],
      ['PATCH', '', { permissions: { can_publish: true } }],
    ],
    ['resources', ALL, ['ok', NO_QUEUE], ['PATCH', '', { resources: ['another'] }]],
    ['source IPs', ALL, ['ok', DENIED], ['PATCH', '', { source_ips: ['192.0.2.0/24'] }]],
    ['disabling', ALL, ['ok', UNKNOWN], ['POST', '/disable', {}]],
    ['enabling', ALL, [UNKNOWN, 'ok'], ['POST', '/enable', {}]],
    ['revocation', ALL, ['ok', UNKNOWN], ['DELETE', '']],
  ])('%s', async (_name, permissions, [before, after], [method, path, body]) => {
    const tenant = await tenantOf(permissions);
    if (before === UNKNOWN) await enforced(REGION, 'POST', `${tenant.path}/disable`, {});
    const groups = [
      many(await tenant.publish(tenant.credentials), before, after),
      unaffected(await tenant.publish(await tenant.create('sqs'))),
      unaffected(bystander),
    ];
    await changeDuring(groups, () => enforced(REGION, method, tenant.path + path, body));
  });

  it('rotation, and its end', async () => {
    const tenant = await tenantOf(ALL);
    const previous = await tenant.publish(tenant.credentials);
    let rotated = tenant.credentials;
    await changeDuring([many(previous, 'ok', 'ok'), unaffected(bystander)], async () => {
      const made = await enforced(REGION, 'POST', `${tenant.path}/rotate`, { overlap_seconds: 3600 });
      rotated = { ...made, region: REGION };
    });
    const next = await tenant.publish(rotated);
    expect(await next()).toBe('ok');
    await changeDuring(
      [many(previous, 'ok', UNKNOWN), { ...unaffected(next), count: CLIENTS }, unaffected(bystander)],
      () => enforced(REGION, 'POST', `${tenant.path}/rotate/finish`, {}),
    );
  });

  it('activation and deactivation of the other product', async () => {
    const tenant = await tenantOf(ALL);
    const { projectId: project_id } = tenant;
    const publish = await tenant.publish(tenant.credentials);
    const publishers = { ...unaffected(publish), count: CLIENTS };
    await changeDuring([publishers, unaffected(bystander)], () =>
      enforced(REGION, 'POST', '/activate-sns', { project_id }),
    );
    const topics = await listTopics(await tenant.create('sns'));
    await changeDuring([publishers, { ...unaffected(topics), after: UNKNOWN }, unaffected(bystander)], () =>
      enforced(REGION, 'POST', '/deactivate-sns', { project_id }),
    );
  });

  it('deactivation of the product', async () => {
    const tenant = await tenantOf(ALL);
    const { projectId: project_id } = tenant;
    await activate(local, REGION, project_id, ['sns']);
    const topics = await listTopics(await tenant.create('sns'));
    const sibling = await tenant.publish(await tenant.create('sqs'));
    await changeDuring(
      [
        { ...many(await tenant.publish(tenant.credentials), 'ok', UNKNOWN), during: NO_QUEUE },
        { ...unaffected(sibling), after: UNKNOWN, during: NO_QUEUE },
        unaffected(topics),
        unaffected(bystander),
      ],
      () => enforced(REGION, 'POST', '/deactivate-sqs', { project_id }),
    );
  });
});

describe('receives that wait', () => {
  const WAIT = { WaitTimeSeconds: 20 };
  const PATIENCE = { timeout: 60_000 };
  /** The runtime evicts an object that has been idle for ten seconds. */
  const EVICTED_AFTER = 11_000;

  /** Begins receives with new credentials. Resolves when all of them wait at the engine. */
  async function beginReceives(count: number) {
    const { projectId, QueueUrl } = await newTenant(RECORDED);
    const credentials = await newCredentials(local, 'sqs', ALL, { region: RECORDED, projectId });
    const receive = await queueAction(credentials, 'ReceiveMessage', { QueueUrl, ...WAIT });
    const queue = (await prefixOf(projectId)) + QueueUrl.split('/').at(-1);
    const atEngine = () => recorder.underWay('sqs.ReceiveMessage', queue);
    const results = Array.from({ length: count }, receive);
    await expect.poll(atEngine, PATIENCE).toBe(count);
    return { credentials, atEngine, results };
  }

  /** The prefix of a project's queues on the engine. */
  async function prefixOf(projectId: string): Promise<string> {
    const database = await local.stack.database('REGION_FR_PAR');
    const row = database.prepare('select prefix from services where project_id = ?').bind(projectId);
    return (await row.first<string>('prefix')) ?? '';
  }

  /** Revokes the credentials, and expects that each receive is denied before any of their waits ends. */
  async function expectDenials({
    credentials,
    atEngine,
    results,
  }: Awaited<ReturnType<typeof beginReceives>>) {
    await enforced(RECORDED, 'DELETE', `/sqs-credentials/${credentials.id}`);
    expect(await Promise.all(results)).toEqual(Array(results.length).fill(UNKNOWN));
    // A wait that had ended, or a receive that had been cancelled, would be missing.
    expect(atEngine()).toBe(results.length);
  }

  it('are all denied by a revocation, and not by the end of their wait: 200 of them', async () => {
    await expectDenials(await beginReceives(200));
  });

  it('are denied after their guard has been idle for longer than the runtime keeps it in memory', async () => {
    const receives = await beginReceives(20);
    await sleep(EVICTED_AFTER);
    await expectDenials(receives);
  });
});

describe('a change that was not announced', () => {
  it.each([
    ['revocation', 'DELETE', '/sqs-credentials/ID'],
    ['disabling', 'POST', '/sqs-credentials/ID/disable'],
    ['deactivation', 'POST', '/deactivate-sqs'],
  ])('is in force after a crash before its response: %s', async (_name, method, path) => {
    const [file] = (await stackDatabases(local.state)).filter(({ binding }) => binding === 'REGION_NL_AMS');
    const database = openDatabase(file?.file ?? '');
    const usable = database.prepare('select 1 from credentials where id = ? and disabled_at is null');
    /** Kills the runtime as soon as the change is committed. Returns whether that was before the response. */
    async function killAfterCommit(id: string, projectId: string): Promise<boolean> {
      const runtime = local.stack.pids().worker;
      const body = path.endsWith('sqs') ? { project_id: projectId } : method === 'POST' ? {} : undefined;
      let responded = false;
      const response = send(REGION, method, path.replace('ID', id), body).then(
        () => {
          responded = true;
        },
        () => {},
      );
      while (usable.get(id)) await setImmediate();
      const before = !responded;
      signal(runtime, 'SIGKILL');
      await response;
      await expect.poll(() => local.stack.pids().worker).not.toBe(runtime);
      return before && !responded;
    }
    try {
      for (let attempt = 0; ; attempt++) {
        const { projectId, QueueUrl } = await newTenant(REGION);
        const credentials = await newCredentials(local, 'sqs', ALL, { region: REGION, projectId });
        const publish = await queueAction(credentials, 'SendMessage', { QueueUrl, ...MESSAGE });
        expect(await publish()).toBe('ok');
        const unanswered = await killAfterCommit(credentials.id, projectId);
        await expect.poll(publish).not.toBe('no response');
        expect(await publish()).toBe(UNKNOWN);
        if (unanswered) break;
        expect(attempt, 'each response came before the kill').toBeLessThan(10);
      }
    } finally {
      database.close();
      local.logged.splice(0);
    }
  });

  it('is in force when the lease of the row in memory ends', async () => {
    const { projectId, QueueUrl } = await newTenant(REGION);
    const credentials = await newCredentials(local, 'sqs', ALL, { region: REGION, projectId });
    const publish = await queueAction(credentials, 'SendMessage', { QueueUrl, ...MESSAGE });
    expect(await publish()).toBe('ok');
    const database = await local.stack.database('REGION_NL_AMS');
    await database.prepare('update credentials set permissions = 4 where id = ?').bind(credentials.id).run();
    const changed = performance.now();
    let began = changed;
    let result = await publish();
    expect(result).toBe('ok');
    let accepted = changed;
    while (result === 'ok') {
      accepted = began;
      await sleep(50);
      began = performance.now();
      result = await publish();
    }
    expect(result).toBe(DENIED);
    expect(accepted - changed).toBeLessThan(LEASE_SECONDS * 1000);
  });
});
