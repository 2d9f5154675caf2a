/**
 * The account JWT composed from rows and settings, with its roles. Servers reload an account when a byte of its JWT changes, so this
 * test pins the exact text: any change must be intentional.
 */
import { expect, it } from 'vitest';
import type { AccountState } from '../../db/region/account-sync.ts';
import { composeAccountJwt } from '../../functions/nats/account-jwts.ts';
import { DENIED } from '../../functions/nats/jwt.ts';
import { canonicalText, type RoleDefinition, scopeOf, sizeOf } from '../../functions/nats/role-template.ts';
import { natsSettings } from '../../functions/shared/env.ts';

const OPERATOR = 'SOAIHYUKTW65ZBTI3OXLLK4R72Q6OCXNOQNVM2KDGQS64U2OQRR7TA4YYA';

const account: AccountState['account'] = {
  id: 'AACCOUNT',
  organizationId: 'organization',
  projectId: 'project',
  name: 'orders',
  signingKey: 'ASIGNING',
  sealedSigningSeed: '',
  sealingKeyId: '1',
  revision: 3,
  issuedAt: 1_790_000_000,
  acknowledgedRevision: 3,
  acknowledgedServers: 1,
  servers: 1,
  createdAt: 0,
  updatedAt: 0,
  deletedAt: null,
  purgedAt: null,
  guest: 0,
};

async function jwtOf(
  given: Partial<typeof account>,
  settings = natsSettings.parse({}),
  roles: AccountState['roles'] = [],
) {
  const state = { account: { ...account, ...given }, revocations: { UUSER: 1_790_000_000, '*': 5 }, roles };
  const config = { nats: settings, operatorSigningSeed: OPERATOR };
  const jwt = await composeAccountJwt(config, state, 1_790_000_000_000);
  const text = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString();
  return { jwt, text, limits: JSON.parse(text).nats.limits };
}

it('the account JWT has exactly this text', async () => {
  const { jwt, text } = await jwtOf({});
  expect(text.replace(/^{"jti":"[A-Z2-7]{52}",/, '{').replace(/"iss":"O[A-Z2-7]{55}"/, '"iss":"O…"')).toBe(
    '{"sub":"AACCOUNT","name":"AACCOUNT","iat":1790000000,"iss":"O…","nats":{"type":"account","limits":' +
      '{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"conn":-1,"leaf":-1,' +
      '"mem_storage":0,"disk_storage":1073741824,"streams":100,"consumer":1000},"default_permissions":' +
      '{"pub":{"deny":["$JS.API.ACCOUNT.>","$JS.API.SERVER.>","$JS.API.META.>"]}},"signing_keys":["ASIGNING"],' +
      '"revocations":{"*":5,"UUSER":1790000000},"version":2}}',
  );
  expect((await jwtOf({})).jwt).toBe(jwt);
});

it('the account JWT has the guest limits when a guest created the account', async () => {
  const limits = { conn: 20, mem_storage: 0, disk_storage: 16 * 1024 ** 2, streams: 10, consumer: 50 };
  expect((await jwtOf({ guest: 1 })).limits).toMatchObject(limits);
  const set = natsSettings.parse({ guest_limits: { disk: 5 }, account_limits: { disk: 6 } });
  expect((await jwtOf({ guest: 1 }, set)).limits).toMatchObject({ ...limits, disk_storage: 5 });
  expect((await jwtOf({ guest: 0 }, set)).limits).toMatchObject({ conn: -1, disk_storage: 6 });
});

it('the JWT of a deleted account keeps its storage limits until the streams are gone', async () => {
  expect((await jwtOf({ deletedAt: 1 })).limits).toMatchObject({ disk_storage: 1024 ** 3 });
  const nothing = { mem_storage: 0, disk_storage: 0, streams: 0, consumer: 0 };
  expect((await jwtOf({ deletedAt: 1, purgedAt: 2 })).limits).toMatchObject(nothing);
});

it('the entry of a role has exactly this text, whatever the order of its lists', async () => {
  const templates = (definition: RoleDefinition) =>
    JSON.stringify(scopeOf({ id: 'ROLE', signingKey: 'AROLE' }, definition));
  const full: RoleDefinition = {
    publish: { allow: ['orders.>', 'a', 'orders.>'], deny: ['orders.secret'] },
    subscribe: { allow: ['b', 'a'], deny: ['b.c', 'b.a'] },
    responses: { max: 1, ttl_seconds: 5 },
    source_ips: ['2001:db8::/32', '192.0.2.0/24'],
    connection_types: ['websocket', 'standard'],
    max_subscriptions: 10,
    max_payload: 1024,
  };
  const expected =
    '{"kind":"user_scope","key":"AROLE","role":"ROLE","template":{"pub":{"allow":["a","orders.>"],"deny":' +
    '["$JS.API.ACCOUNT.>","$JS.API.META.>","$JS.API.SERVER.>","orders.secret"]},"sub":{"allow":["a","b"],"deny":' +
    '["b.a","b.c"]},"resp":{"max":1,"ttl":5000000000},"src":["192.0.2.0/24","2001:db8::/32"],"subs":10,"data":-1,' +
    '"payload":1024,"allowed_connection_types":["STANDARD","WEBSOCKET"]}}';
  expect(templates(full)).toBe(expected);
  expect(templates(JSON.parse(canonicalText(full)))).toBe(expected);
  const nothing = { allow: [], deny: [] };
  expect(templates({ publish: nothing, subscribe: nothing })).toBe(
    '{"kind":"user_scope","key":"AROLE","role":"ROLE","template":{"pub":{"deny":["$JS.API.ACCOUNT.>","$JS.API.META.>",' +
      '"$JS.API.SERVER.>",">"]},"sub":{"deny":[">"]},"subs":-1,"data":-1,"payload":-1}}',
  );
  const everything = { allow: ['>'], deny: [] };
  expect(templates({ publish: everything, subscribe: everything })).toContain(
    '"pub":{"allow":[">"],"deny":["$JS.API.ACCOUNT.>","$JS.API.META.>","$JS.API.SERVER.>"]},"sub":{"allow":[">"]}',
  );
});

it('the account JWT lists roles after the account’s own signing key, and stays the same when nothing changes', async () => {
  const roles = ['A', 'B'].map((id) => ({
    id,
    signingKey: `A${id}`,
    definition: canonicalText({ publish: { allow: [id], deny: [] }, subscribe: { allow: [], deny: [] } }),
  }));
  const { jwt, text } = await jwtOf({}, undefined, roles);
  const keys = JSON.parse(text).nats.signing_keys as (string | { role: string })[];
  expect(keys.map((key) => (typeof key === 'string' ? key : key.role))).toEqual(['ASIGNING', 'A', 'B']);
  expect((await jwtOf({}, undefined, structuredClone(roles))).jwt).toBe(jwt);
});

it('no definition, in whatever order, leads to an empty list, another template, or a template without the denied subjects', () => {
  const role = { id: 'ROLE', signingKey: 'AROLE' };
  for (let round = 0; round < 2000; round++) {
    const definition = randomDefinition();
    const scope = scopeOf(role, definition);
    const text = JSON.stringify(scope);
    expect(text).not.toMatch(/\[\]|null/);
    expect(scope.template.pub.deny).toEqual(expect.arrayContaining([...DENIED]));
    const shuffled = JSON.parse(
      JSON.stringify(definition, (_key, value) =>
        Array.isArray(value) ? [...value, ...value.slice(0, 1)].sort(() => Math.random() - 0.5) : value,
      ),
    ) as RoleDefinition;
    expect(JSON.stringify(scopeOf(role, shuffled))).toBe(text);
    expect(canonicalText(shuffled)).toBe(canonicalText(definition));
    expect(sizeOf(scope)).toBeGreaterThanOrEqual(Buffer.from(`,${text}`).toString('base64url').length);
    // Nothing is allowed that the definition does not allow.
    for (const [side, { allow }] of [
      ['pub', definition.publish],
      ['sub', definition.subscribe],
    ] as const) {
      const granted = scope.template[side].allow;
      if (granted) expect(new Set(granted)).toEqual(new Set(allow));
      else expect(scope.template[side].deny).toContain('>');
    }
  }
});

function randomDefinition(): RoleDefinition {
  const maybe = <Value>(value: Value) => (Math.random() < 0.5 ? value : undefined);
  const some = <Item>(items: readonly Item[]) => items.filter(() => Math.random() < 0.4);
  const subjects = () => some(['>', 'a', 'a.*', 'b.>', '$JS.API.>', '注文', '_INBOX.{{subject()}}.>']);
  return {
    publish: { allow: subjects(), deny: subjects() },
    subscribe: { allow: subjects(), deny: subjects() },
    responses: maybe({ max: 1, ttl_seconds: 5 }),
    source_ips: maybe(some(['192.0.2.0/24', '2001:db8::/32'])),
    connection_types: maybe(some(['standard', 'mqtt'] as const)),
    max_subscriptions: maybe(3),
    max_payload: maybe(4),
  };
}
