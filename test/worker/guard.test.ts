/**
 * The guards of access keys: when they read the database, that each change is announced to them before its response,
 * and what the gateway does when they or the database cannot be reached.
 */
import { evictDurableObject } from 'cloudflare:test';
import type { DurableObjectNamespace } from '@cloudflare/workers-types';
import { AwsClient } from 'aws4fetch';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endDueCredentials } from '../../functions/credentials/end-due.ts';
import { app } from '../../functions/index.ts';
import { deleteExpiredGuests } from '../../functions/projects/guests.ts';
import { purgeProjectFromRegion } from '../../functions/projects/purge-project.ts';
import { configOf } from '../../functions/shared/env.ts';
import { env, envWithEngine } from './env.ts';
import { MESSAGE, mockEngine, newTenant, resultOf, SENT, type Tenant } from './guarded-tenant.ts';
import { call, cookieOf, ORIGIN, rows } from './harness.ts';
import { localGuards } from './local-guards.ts';

let warnings: string[];

beforeEach(() => {
  warnings = [];
  vi.spyOn(console, 'warn').mockImplementation((line) => void warnings.push(String(line)));
  mockEngine();
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Makes a time pass after which a lease of one second has ended. */
const leaseEnds = () => new Promise((resolve) => setTimeout(resolve, 1050));

/** A stand-in for a namespace: `use` replaces the methods of a stub, given its name and the number of earlier stubs. */
function standIn(
  local: DurableObjectNamespace,
  use: (name: string, stubs: number) => Partial<Record<'admit' | 'changed' | 'fetch', () => unknown>>,
): DurableObjectNamespace {
  let stubs = 0;
  return {
    idFromName: (name: string) => ({ id: local.idFromName(name), name }),
    get({ id, name }: { id: never; name: string }) {
      const real =
        (method: string) =>
        (...input: unknown[]) =>
          (local.get(id) as unknown as Record<string, (...input: unknown[]) => unknown>)[method]?.(...input);
      const methods = ['admit', 'changed', 'record', 'fetch'].map((method) => [method, real(method)]);
      return { ...Object.fromEntries(methods), ...use(name, stubs++) };
    },
  } as unknown as DurableObjectNamespace;
}

const failing = (properties: object) => () => Promise.reject(Object.assign(new Error('reset'), properties));

describe('a guard reads the database', () => {
  it('once for 200 concurrent requests, and not while it keeps the row', async () => {
    const tenant = await newTenant();
    const results = await Promise.all(Array.from({ length: 200 }, () => tenant.send('SendMessage', MESSAGE)));
    expect(results).toEqual(Array(200).fill([200, SENT]));
    for (let time = 0; time < 10; time++) await tenant.send('SendMessage', MESSAGE);
    expect(tenant.database.reads).toBe(1);
  });

  it('again when its lease ends', async () => {
    const tenant = await newTenant({ GUARD: { lease_seconds: 1 } });
    await tenant.send('SendMessage', MESSAGE);
    // A change that nobody announces, as after a crash.
    await rows('fr-par', 'update credentials set permissions = 4 where id = ? returning 1', tenant.id);
    await tenant.send('SendMessage', MESSAGE);
    expect(tenant.database.reads).toBe(1);
    await leaseEnds();
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([403, 'AccessDenied']);
    expect(tenant.database.reads).toBe(2);
  });

  it('again after it was evicted, and an evicted guard misses no change', async () => {
    const tenant = await newTenant();
    const { CREDENTIAL_GUARD: guards } = env;
    const evict = () => evictDurableObject(guards.get(guards.idFromName(tenant.guardName)) as never);
    await tenant.admitted();
    await evict();
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([200, SENT]);
    expect(tenant.database.reads).toBe(2);
    await evict();
    expect((await tenant.update({ permissions: { can_publish: false } })).status).toBe(200);
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([403, 'AccessDenied']);
    expect(tenant.database.reads).toBe(3);
  });

  it('again for all that wait when a change overtakes a slow read, and keeps the newer row', async () => {
    const tenant = await newTenant();
    const slow = Promise.withResolvers<void>();
    tenant.database.until = slow.promise;
    const overtaken = Array.from({ length: 3 }, () => tenant.send('SendMessage', MESSAGE));
    await expect.poll(() => tenant.database.reads).toBe(1);
    tenant.database.until = undefined;
    await tenant.update({ permissions: { can_publish: false } });
    // Who comes after the change does not wait for the read before it.
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([403, 'AccessDenied']);
    slow.resolve();
    expect(await Promise.all(overtaken)).toEqual(Array(3).fill([403, 'AccessDenied']));
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([403, 'AccessDenied']);
    expect(tenant.database.reads).toBe(2);
  });

  it('in vain while it is down: the kept row serves until its lease ends, then requests get 503', async () => {
    const tenant = await newTenant({ GUARD: { lease_seconds: 1 } });
    await tenant.send('SendMessage', MESSAGE);
    tenant.database.isDown = true;
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([200, SENT]);
    await leaseEnds();
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([503, 'ServiceUnavailable']);
    expect(warnings.join()).toContain('"guard":"not read"');
    tenant.database.isDown = false;
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([200, SENT]);
  });
});

describe('a change is announced before its response, and the next request sees it:', () => {
  type Change = (tenant: Tenant) => Promise<{ headers: Headers } | null>;
  const post =
    (path: string, body: object = {}): Change =>
    (tenant) =>
      tenant.api(
        'POST',
        path.replace('ID', tenant.id),
        path.includes('ID') ? body : { project_id: tenant.owner.project_id },
      );
  const patch =
    (fields: object): Change =>
    (tenant) =>
      tenant.update(fields);
  const batch =
    (action: string): Change =>
    (tenant) =>
      tenant.api('POST', '/sqs-credentials/batch', { action, ids: [tenant.id] });
  const nothing: Change = async () => null;
  const soon = () => new Date(Date.now() + 3600_000).toISOString();

  it.each<[name: string, before: Change, change: Change, row: object | null]>([
    ['a name', nothing, patch({ name: 'renamed' }), {}],
    [
      'removed permissions',
      nothing,
      patch({ permissions: { can_receive: false } }),
      { permissions: 5, version: 2 },
    ],
    [
      'added permissions',
      patch({ permissions: { can_receive: false } }),
      patch({ permissions: { can_receive: true } }),
      { permissions: 7, version: 2 },
    ],
    ['resources', nothing, patch({ resources: ['a*'] }), { resources: '["a*"]', version: 2 }],
    [
      'source IPs',
      nothing,
      patch({ source_ips: ['192.0.2.0/24'] }),
      { sourceIps: '["192.0.2.0/24"]', version: 2 },
    ],
    [
      'an expiry',
      nothing,
      (tenant) => tenant.update({ expires_at: soon() }),
      { expiresAt: expect.any(Number) },
    ],
    [
      'disabling',
      nothing,
      post('/sqs-credentials/ID/disable'),
      { disabledAt: expect.any(Number), version: 2 },
    ],
    [
      'enabling',
      post('/sqs-credentials/ID/disable'),
      post('/sqs-credentials/ID/enable'),
      { disabledAt: null },
    ],
    ['revocation', nothing, (tenant) => tenant.api('DELETE', `/sqs-credentials/${tenant.id}`), null],
    ['disabling in a batch', nothing, batch('disable'), { disabledAt: expect.any(Number), version: 2 }],
    ['enabling in a batch', batch('disable'), batch('enable'), { disabledAt: null }],
    ['revocation in a batch', nothing, batch('revoke'), null],
    ['deactivation of the product', nothing, post('/deactivate-sqs'), null],
    ['activation of the other product', nothing, post('/activate-sns'), { snsPrefix: expect.any(String) }],
    [
      'deactivation of the other product',
      post('/activate-sns'),
      post('/deactivate-sns'),
      { snsPrefix: null },
    ],
  ])('%s', async (_name, before, change, row) => {
    const tenant = await newTenant();
    await before(tenant);
    await tenant.admitted();
    const { reads } = tenant.database;
    const response = await change(tenant);
    expect(response?.headers.get('Latchkey-Enforcement')).toBe('enforced');
    expect(tenant.database.reads).toBe(reads);
    const admitted = await tenant.admitted();
    expect(admitted).toEqual({ from: 'guard', credential: row && expect.objectContaining(row) });
    await tenant.admitted();
    expect(tenant.database.reads).toBe(reads + 1);
  });

  it.each<[name: string, change: Change, previous: object | null, next: object | null]>([
    [
      'a removed permission',
      patch({ permissions: { can_receive: false } }),
      { permissions: 5 },
      { permissions: 5 },
    ],
    ['disabling', post('/sqs-credentials/ID/disable'), { version: 2 }, { version: 2 }],
    ['the end of the previous key', post('/sqs-credentials/ID/rotate/finish'), null, {}],
    ['the end of the new key', post('/sqs-credentials/ID/rotate/cancel'), {}, null],
    ['revocation', (tenant) => tenant.api('DELETE', `/sqs-credentials/${tenant.id}`), null, null],
    ['revocation in a batch', batch('revoke'), null, null],
    ['deactivation', post('/deactivate-sqs'), null, null],
    [
      'activation of the other product',
      post('/activate-sns'),
      { snsPrefix: expect.any(String) },
      { snsPrefix: expect.any(String) },
    ],
  ])('%s, by both keys of a rotation', async (_name, change, previous, next) => {
    const tenant = await newTenant();
    await tenant.admitted();
    const { body, headers } = await tenant.api('POST', `/sqs-credentials/${tenant.id}/rotate`, {
      overlap_seconds: 3600,
    });
    expect(headers.get('Latchkey-Enforcement')).toBe('enforced');
    const newKey = String(body.access_key);
    expect((await tenant.admitted()).credential).not.toBeNull();
    expect((await tenant.admitted(newKey)).credential).not.toBeNull();
    expect((await change(tenant))?.headers.get('Latchkey-Enforcement')).toBe('enforced');
    expect((await tenant.admitted()).credential).toEqual(previous && expect.objectContaining(previous));
    expect((await tenant.admitted(newKey)).credential).toEqual(next && expect.objectContaining(next));
  });

  it.each([
    ['a rotation', null],
    ['the end of the previous key', '/rotate/finish'],
    ['the end of the new key', '/rotate/cancel'],
  ])('%s, to the guards of both keys', async (_name, end) => {
    const told: string[] = [];
    const tenant = await newTenant({}, (local) =>
      standIn(local, (name) => ({ changed: async () => void told.push(name.split('/')[1] ?? '') })),
    );
    const path = `/sqs-credentials/${tenant.id}`;
    const { body } = await tenant.api('POST', `${path}/rotate`, { overlap_seconds: 3600 });
    if (end) {
      told.splice(0);
      await tenant.api('POST', path + end, {});
    }
    expect(told.toSorted()).toEqual([tenant.accessKey, String(body.access_key)].toSorted());
  });

  it('the end of a rotation by the schedule', async () => {
    const tenant = await newTenant();
    await tenant.api('POST', `/sqs-credentials/${tenant.id}/rotate`, { overlap_seconds: 60 });
    await rows('fr-par', 'update rotations set ends_at = 1 where credential_id = ? returning 1', tenant.id);
    expect((await tenant.admitted()).credential).not.toBeNull();
    await endDueCredentials(tenant.config, tenant.region, Date.now() + 10_000);
    expect((await tenant.admitted()).credential).toBeNull();
  });

  it('activation of the product, for a key whose credentials a backup brought back', async () => {
    const tenant = await newTenant();
    const columns =
      'id, product, organization_id, project_id, name, key, sealed_secret, sealing_key_id, checksum, permissions, created_at, updated_at';
    const [row] = await rows('fr-par', `select ${columns} from credentials where id = ?`, tenant.id);
    await post('/deactivate-sqs')(tenant);
    const marks = columns.replaceAll(/\w+/g, '?');
    await rows(
      'fr-par',
      `insert into credentials (${columns}) values (${marks}) returning 1`,
      ...Object.values(row ?? {}),
    );
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([403, 'InvalidClientTokenId']);
    await post('/activate-sqs')(tenant);
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([200, SENT]);
  });

  it('revocation by the schedule, of credentials that were disabled for long enough, by both keys of a rotation', async () => {
    const tenant = await newTenant();
    const { body } = await tenant.api('POST', `/sqs-credentials/${tenant.id}/rotate`, {
      overlap_seconds: 3600,
    });
    const keys = [tenant.accessKey, String(body.access_key)];
    await tenant.api('POST', `/sqs-credentials/${tenant.id}/disable`, { revoke_after_seconds: 60 });
    await rows('fr-par', 'update credentials set revoke_at = 1 where id = ? returning 1', tenant.id);
    for (const key of keys) expect((await tenant.admitted(key)).credential).not.toBeNull();
    await endDueCredentials(tenant.config, tenant.region, Date.now() + 10_000);
    for (const key of keys) expect((await tenant.admitted(key)).credential).toBeNull();
  });

  it('deletion of the project', async () => {
    const tenant = await newTenant();
    await tenant.admitted();
    await purgeProjectFromRegion(tenant.config, tenant.region, tenant.owner.project_id, Date.now() + 10_000);
    expect((await tenant.admitted()).credential).toBeNull();
  });

  it('the end of a guest’s session', async () => {
    const bindings = { ...envWithEngine, GUESTS: { enabled: true, most: 10_000 } } as typeof env;
    const guarded = { ...bindings, CREDENTIAL_GUARD: localGuards(bindings) };
    const guest = await call('POST', '/auth/guest', {
      env: guarded,
      headers: { 'CF-Connecting-IP': crypto.randomUUID(), Origin: ORIGIN },
    });
    const { project_id, organization_id } = guest.body;
    const headers = { Cookie: cookieOf(guest.headers), Origin: ORIGIN };
    const post = (path: string, body: object) =>
      call('POST', `/mnq/v1beta1/regions/fr-par${path}`, { env: guarded, headers, body });
    await post('/activate-sqs', { project_id });
    const { body } = await post('/sqs-credentials', { project_id, permissions: { can_publish: true } });
    const request = async () => {
      const { access_key: accessKeyId, secret_key: secretAccessKey } = body;
      const signer = new AwsClient({ accessKeyId, secretAccessKey, region: 'fr-par', service: 'sqs' });
      const signed = await signer.sign(`${ORIGIN}/`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'AmazonSQS.SendMessage' },
        body: JSON.stringify({ QueueUrl: `${ORIGIN}/project-${project_id}/orders`, ...MESSAGE }),
      });
      signed.headers.set('Host', new URL(ORIGIN).host);
      return resultOf(await app.fetch(signed, guarded));
    };
    expect(await request()).toEqual([200, SENT]);
    await env.IDENTITY.prepare('update organizations set expires_at = 1 where id = ?')
      .bind(organization_id)
      .run();
    await deleteExpiredGuests(configOf(guarded), Date.now() + 10_000);
    expect(await request()).toEqual([403, 'InvalidClientTokenId']);
  });

  it('of no other credentials', async () => {
    const [tenant, other] = [await newTenant(), await newTenant()];
    await Promise.all([tenant.admitted(), other.admitted()]);
    await tenant.api('POST', '/activate-sns', { project_id: tenant.owner.project_id });
    await tenant.api('DELETE', `/sqs-credentials/${tenant.id}`);
    expect(await other.send('SendMessage', MESSAGE)).toEqual([200, SENT]);
    expect(other.database.reads).toBe(1);
  });
});

describe('a change that guards do not hear of in time', () => {
  it.each([
    ['is retried once if the failure is temporary', { retryable: true }, 1, 'enforced', 2],
    ['is pending if the guard cannot be reached', {}, 1, 'pending; within=31', 1],
    [
      'is pending if the guard is overloaded',
      { retryable: true, overloaded: true },
      1,
      'pending; within=31',
      1,
    ],
    ['is pending after two temporary failures', { retryable: true }, 2, 'pending; within=31', 2],
  ])('%s', async (_name, properties, failures, enforcement, calls) => {
    let changes = 0;
    const tenant = await newTenant({}, (local) =>
      standIn(local, () => ({ changed: () => (++changes > failures ? undefined : failing(properties)()) })),
    );
    changes = 0;
    const { headers } = await tenant.update({ name: 'renamed' });
    expect([headers.get('Latchkey-Enforcement'), changes]).toEqual([enforcement, calls]);
  });

  it('is pending for as long as the configured lease', async () => {
    const tenant = await newTenant({ GUARD: { lease_seconds: 10 } }, (local) =>
      standIn(local, () => ({ changed: failing({}) })),
    );
    const { headers } = await tenant.api('DELETE', `/sqs-credentials/${tenant.id}`);
    expect(headers.get('Latchkey-Enforcement')).toBe('pending; within=11');
  });

  it('is pending after two seconds, and the guard is still told in the background', async () => {
    const slow = Promise.withResolvers<void>();
    let told = 0;
    const tenant = await newTenant({}, (local) =>
      standIn(local, (name) => ({
        async changed() {
          await slow.promise;
          await (local.get(local.idFromName(name)) as unknown as { changed(): Promise<void> }).changed();
          told++;
        },
      })),
    );
    await tenant.admitted();
    const began = Date.now();
    const { headers } = await tenant.update({ permissions: { can_publish: false } });
    expect(headers.get('Latchkey-Enforcement')).toBe('pending; within=31');
    expect(Date.now() - began).toBeLessThan(6000);
    expect(told).toBe(0);
    slow.resolve();
    await expect.poll(() => told).toBe(1);
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([403, 'AccessDenied']);
  });
});

describe('deactivation of a project with many credentials', () => {
  /** Records the announcements of a deactivation. */
  async function deactivate(count: number) {
    const told: string[] = [];
    let [underWay, most] = [0, 0];
    const tenant = await newTenant({}, (local) =>
      standIn(local, (name) => ({
        async changed() {
          told.push(name.split('/')[1] ?? '');
          most = Math.max(most, ++underWay);
          await new Promise((resolve) => setTimeout(resolve, 1));
          underWay--;
        },
      })),
    );
    // Half of them were never used, the others one after another.
    await rows(
      'fr-par',
      `insert into credentials (id, product, organization_id, project_id, name, key, sealed_secret, sealing_key_id,
         checksum, permissions, created_at, updated_at, last_used_at)
       select id || value, product, organization_id, project_id, name, substr(key, 1, 10) || printf('%010d', value),
         sealed_secret, sealing_key_id, checksum, permissions, created_at, updated_at,
         case when value % 2 then value end
       from credentials, (with recursive n(value) as (select 1 union all select value + 1 from n limit ?2) select value from n)
       where id = ?1 returning 1`,
      tenant.id,
      count - 1,
    );
    const { project_id } = tenant.owner;
    const { status, headers } = await tenant.api('POST', '/deactivate-sqs', { project_id });
    expect(status).toBe(200);
    // After the deadline, in the background.
    await expect.poll(() => told.length, { timeout: 20_000 }).toBe(900);
    const uses = told.map((key) =>
      key === tenant.accessKey ? Number.POSITIVE_INFINITY : Number(key.slice(10)),
    );
    return { enforcement: headers.get('Latchkey-Enforcement'), uses, most };
  }

  it('tells 900 guards, those that were used last first, 64 at once', async () => {
    const { enforcement, uses, most } = await deactivate(2000);
    expect(enforcement).toBe('pending; within=31');
    const used = Array.from({ length: 899 }, (_, at) => 1999 - 2 * at);
    expect(uses).toEqual([Number.POSITIVE_INFINITY, ...used]);
    expect(most).toBe(64);
  });

  it('is enforced if all guards were told', async () => {
    const { enforcement, uses } = await deactivate(900);
    expect([enforcement, new Set(uses).size]).toEqual(['enforced', 900]);
  });
});

describe('a guard that cannot be reached', () => {
  /** A tenant whose guard's first `failures` calls fail. */
  async function unreachable(properties: object, failures = Number.POSITIVE_INFINITY) {
    const calls = { made: 0, stubs: new Set<number>() };
    const tenant = await newTenant({}, (local) =>
      standIn(local, (name, stubs) => ({
        admit() {
          calls.stubs.add(stubs);
          if (++calls.made <= failures) return failing(properties)();
          const stub = local.get(local.idFromName(name)) as unknown as { admit(key: object): unknown };
          return stub.admit({ region: 'fr-par', accessKey: name.split('/')[1] });
        },
      })),
    );
    return { tenant, calls };
  }

  it('is asked once more with a new stub if the failure is temporary', async () => {
    const { tenant, calls } = await unreachable({ retryable: true }, 1);
    expect((await tenant.admitted()).from).toBe('guard');
    expect([calls.made, calls.stubs.size]).toEqual([2, 2]);
  });

  it.each([
    ['is not asked again if it is overloaded', { retryable: true, overloaded: true }, 1],
    ['is not asked again if the failure is not temporary', {}, 1],
    ['is asked no third time', { retryable: true }, 2],
  ])('%s; the database is read instead, each time', async (_name, properties, made) => {
    const { tenant, calls } = await unreachable(properties);
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([200, SENT]);
    expect([calls.made, tenant.database.reads]).toEqual([made, 1]);
    await tenant.update({ permissions: { can_publish: false } });
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([403, 'AccessDenied']);
    expect(tenant.database.reads).toBe(2);
    expect(warnings.join()).toContain('"guard":"unreachable"');
    expect(warnings.join()).not.toContain(tenant.accessKey);
  });

  it('is replaced by at most six reads of the database at once; the other requests get 503', async () => {
    const { tenant } = await unreachable({});
    const slow = Promise.withResolvers<void>();
    tenant.database.until = slow.promise;
    const first = Array.from({ length: 6 }, () => tenant.send('SendMessage', MESSAGE));
    await expect.poll(() => tenant.database.reads).toBe(6);
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([503, 'ServiceUnavailable']);
    slow.resolve();
    expect(await Promise.all(first)).toEqual(Array(6).fill([200, SENT]));
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([200, SENT]);
  });

  it('lets no receive begin: it gets 503', async () => {
    const { tenant } = await unreachable({});
    expect(await tenant.send('ReceiveMessage')).toEqual([503, 'ServiceUnavailable']);
  });

  it('and a database that is down: requests get 503', async () => {
    const { tenant } = await unreachable({});
    vi.spyOn(console, 'error').mockImplementation(() => {});
    tenant.database.isDown = true;
    expect(await tenant.send('SendMessage', MESSAGE)).toEqual([503, 'ServiceUnavailable']);
  });
});

describe('an access key that does not exist', () => {
  const asked: string[] = [];
  const counting = (local: DurableObjectNamespace) =>
    standIn(local, (name) => {
      asked.push(name);
      return {};
    });

  async function sendBy(accessKeyId: string, secretAccessKey: string, tenant: Tenant) {
    const signer = new AwsClient({ accessKeyId, secretAccessKey, region: 'fr-par', service: 'sqs' });
    const request = await signer.sign(`${ORIGIN}/`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'AmazonSQS.SendMessage' },
      body: JSON.stringify({ QueueUrl: `${ORIGIN}/project-${tenant.owner.project_id}/orders`, ...MESSAGE }),
    });
    request.headers.set('Host', new URL(ORIGIN).host);
    return resultOf(await app.fetch(request, tenant.bindings));
  }

  it('has no guard, and is accepted as soon as it exists', async () => {
    const tenant = await newTenant({}, counting);
    asked.splice(0);
    // Without the check, like those from before it was introduced.
    const keys = Array.from(
      { length: 20 },
      () => `LKEY${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`,
    );
    for (const key of keys)
      expect(await sendBy(key, 'secret', tenant)).toEqual([403, 'InvalidClientTokenId']);
    expect(asked).toEqual([]);
    // The credentials get the key of a guess.
    await rows('fr-par', 'update credentials set key = ? where id = ? returning 1', keys[0], tenant.id);
    const secret = (await tenant.api('GET', `/sqs-credentials/${tenant.id}`)).body.access_key;
    expect(secret).toBe(keys[0]);
    expect(await sendBy(keys[0] ?? '', 'another secret', tenant)).toEqual([403, 'SignatureDoesNotMatch']);
    expect(new Set(asked)).toEqual(new Set([`fr-par/${keys[0]}`]));
  });
});
