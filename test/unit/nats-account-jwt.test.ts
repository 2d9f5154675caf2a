/**
 * The account JWT composed from rows and settings. Servers reload an account when a byte of its JWT changes, so this
 * test pins the exact text: any change must be intentional.
 */
import { expect, it } from 'vitest';
import type { AccountState } from '../../db/region/account-sync.ts';
import { composeAccountJwt } from '../../functions/nats/account-jwts.ts';
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

async function jwtOf(given: Partial<typeof account>, settings = natsSettings.parse({})) {
  const state = { account: { ...account, ...given }, revocations: { UUSER: 1_790_000_000, '*': 5 } };
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
