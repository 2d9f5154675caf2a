/** The stored account JWTs: what a request costs, and that no change leaves an older JWT stored or served. */
import { decode } from '@nats-io/jwt';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { getAccountState, recordPurge } from '../../db/region/account-sync.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { composeAccountJwt } from '../../functions/nats/account-jwts.ts';
import { createKey } from '../../functions/nats/keys.ts';
import { configOf } from '../../functions/shared/env.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { gated } from './fault.ts';
import { call, clientOf, databaseOf, newOwner, rows } from './harness.ts';

const REGION = 'fr-par';
const WRITE = /insert into nats_account_jwts/;
const STATE = /from nats_revocations/;
const NEVER = 253_402_300_799;

interface Claims {
  iss: string;
  iat: number;
  exp?: number;
  nats: { revocations?: Record<string, number>; limits: Record<string, number> };
}

let owner: Owner;
let api: ReturnType<typeof clientOf>;

beforeAll(async () => {
  owner = await newOwner();
  api = clientOf(owner, REGION);
});

afterEach(() => {
  vi.restoreAllMocks();
});

const newAccount = async (): Promise<string> =>
  (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id as string;

/** Creates credentials of the account and returns their id and the user's key. */
async function newUser(account: string): Promise<{ id: string; key: string }> {
  const { body } = await api.post('/nats-credentials', { nats_account_id: account });
  const { content } = body.credentials as { content: string };
  return { id: String(body.id), key: decode(content.split('\n')[1] ?? '').sub };
}

const resolve = (id: string, bindings = env, headers = {}) =>
  call('GET', `/jwt/v1/${REGION}/accounts/${id}`, { env: bindings, headers });

const claimsOf = (jwt: string) => decode(jwt) as unknown as Claims;

async function storedOf(id: string): Promise<{ version: string; jwt: string } | undefined> {
  const [row] = await rows<{ version: string; jwt: string }>(
    REGION,
    'select version, jwt from nats_account_jwts where account_id = ?',
    id,
  );
  return row;
}

async function revisionOf(id: string): Promise<number> {
  const [row] = await rows<{ revision: number }>(
    REGION,
    'select revision from nats_accounts where id = ?',
    id,
  );
  return row?.revision ?? 0;
}

/** Requests the JWT until it is stored, and returns it. */
async function storeFirst(id: string, bindings = env): Promise<string> {
  const { text } = await resolve(id, bindings);
  await vi.waitFor(async () => expect((await storedOf(id))?.jwt).toBe(text), { interval: 5 });
  return text;
}

describe('a stored JWT', () => {
  it('is read together with the others that are requested at the same time', async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, newAccount));
    const texts = await Promise.all(ids.map((id) => storeFirst(id)));
    const cost = { trips: 0, rowsRead: 0, rowsWritten: 0 };
    const bindings = { ...env, REGION_FR_PAR: counted(env.REGION_FR_PAR, cost) };
    const responses = await Promise.all([...ids, `A${'B'.repeat(55)}`].map((id) => resolve(id, bindings)));
    expect(responses.pop()?.status).toBe(404);
    expect(responses.map(({ text }) => text)).toEqual(texts);
    expect(cost.trips).toBeLessThanOrEqual(3);
    // The account, its JWT, and the id in the query.
    expect(cost.rowsRead).toBeLessThanOrEqual(3 * ids.length + 1);
  });

  it('costs one round trip, or two if its revocation list is long, and never reads the list', async () => {
    const id = await newAccount();
    const short = await storeFirst(id);
    expect(await costOf(id)).toEqual({ text: short, cost: { trips: 1, rowsRead: 3, rowsWritten: 0 } });
    await databaseOf(REGION)
      .prepare(
        `insert into nats_revocations (account_id, user_key, revoked_at, issued_at)
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 9500)
         select ?, 'U' || printf('%055d', i), 1800000000, 1800000000 from n`,
      )
      .bind(id)
      .run();
    await rows(REGION, 'update nats_accounts set revision = revision + 1 where id = ?', id);
    const long = await storeFirst(id);
    expect(long.length).toBeGreaterThan(850_000);
    expect(await costOf(id)).toEqual({ text: long, cost: { trips: 2, rowsRead: 6, rowsWritten: 0 } });
  });
});

/** Requests a JWT and counts the cost. */
async function costOf(id: string): Promise<{ text: string; cost: Cost }> {
  const cost = { trips: 0, rowsRead: 0, rowsWritten: 0 };
  const { text } = await resolve(id, { ...env, REGION_FR_PAR: counted(env.REGION_FR_PAR, cost) });
  return { text, cost };
}

it('a list of accounts and a change of one read and write no JWT', async () => {
  const id = await newAccount();
  const { rename, list } = {
    rename: { name: 'renamed' },
    list: `/nats-accounts?project_id=${owner.project_id}`,
  };
  const before = [await costFor('PATCH', `/nats-accounts/${id}`, rename), await costFor('GET', list)];
  await storeFirst(id);
  const after = [
    await costFor('PATCH', `/nats-accounts/${id}`, { name: 'renamed again' }),
    await costFor('GET', list),
  ];
  expect(after).toEqual(before);

  async function costFor(method: string, path: string, body?: object) {
    const cost = { trips: 0, rowsRead: 0, rowsWritten: 0 };
    await call(method, `/mnq/v1beta1/regions/${REGION}${path}`, {
      token: owner.secret_key,
      env: { ...env, REGION_FR_PAR: counted(env.REGION_FR_PAR, cost) },
      ...(body && { body }),
    });
    return cost;
  }
});

describe('a revocation', () => {
  it('concurrent with first requests is never served or stored away (race)', async () => {
    const id = await newAccount();
    const users = await Promise.all(Array.from({ length: 20 }, () => newUser(id)));
    for (const [round, { id: credential, key }] of users.entries()) {
      const requests = Array.from({ length: 1 + (round % 4) }, () => resolve(id));
      const revocation = api.delete(`/nats-credentials/${credential}`);
      const late = revocation.then(() => resolve(id));
      const [served] = [await late, await Promise.all(requests), await revocation];
      // The revocation had its response before this request began.
      expect(Object.keys(claimsOf(served.text).nats.revocations ?? {})).toContain(key);
      const stored = await storedOf(id);
      const revision = await revisionOf(id);
      expect(Number(stored?.version.split('-')[0] ?? 0)).toBeLessThanOrEqual(revision);
      const [text, again] = [await storeFirst(id), await resolve(id)];
      const state = await getAccountState(openDatabase(env.REGION_FR_PAR), id);
      if (!state) throw new Error('no such account');
      expect(text).toBe(await composeAccountJwt(configOf(env), state, Date.now()));
      expect(again.text).toBe(text);
      expect((await storedOf(id))?.version).toMatch(new RegExp(`^${revision}-`));
    }
  });

  it('between the read and the write of the JWT keeps the older JWT out of the store', async () => {
    const id = await newAccount();
    const { id: credential, key } = await newUser(id);
    const gate = gated(env.REGION_FR_PAR, WRITE);
    const older = await resolve(id, { ...env, REGION_FR_PAR: gate.database });
    await gate.arrived;
    await api.delete(`/nats-credentials/${credential}`);
    gate.open();
    await vi.waitFor(() => storeFirst(id));
    const stored = await storedOf(id);
    expect(stored?.jwt).not.toBe(older.text);
    expect(claimsOf(stored?.jwt ?? '').nats.revocations).toHaveProperty(key);
  });

  it('replaces a newer JWT with no older one that is stored late', async () => {
    const id = await newAccount();
    const { id: credential } = await newUser(id);
    const gate = gated(env.REGION_FR_PAR, WRITE);
    await resolve(id, { ...env, REGION_FR_PAR: gate.database });
    await gate.arrived;
    await api.delete(`/nats-credentials/${credential}`);
    const newer = await storeFirst(id);
    gate.open();
    await new Promise((done) => setTimeout(done, 50));
    expect((await storedOf(id))?.jwt).toBe(newer);
  });

  it('between the two reads of a request is in the response', async () => {
    const id = await newAccount();
    const { id: credential, key } = await newUser(id);
    const gate = gated(env.REGION_FR_PAR, STATE);
    const response = resolve(id, { ...env, REGION_FR_PAR: gate.database });
    await gate.arrived;
    await api.delete(`/nats-credentials/${credential}`);
    gate.open();
    const { text, headers } = await response;
    expect(claimsOf(text).nats.revocations).toHaveProperty(key);
    // The version belongs to the text, so a later request with it is not changed.
    const later = await resolve(id, env, { 'If-None-Match': headers.get('ETag') ?? '' });
    expect(later.status).toBe(304);
  });
});

describe('a stored JWT is not served after', () => {
  const later = async (id: string, first: string, bindings = env) => {
    const { text, headers } = await resolve(id, bindings, { 'If-None-Match': first });
    return { claims: claimsOf(text), etag: headers.get('ETag') };
  };
  const first = async (id: string, bindings = env) => {
    await storeFirst(id, bindings);
    return (await resolve(id, bindings)).headers.get('ETag') ?? '';
  };

  it('a change of the limits, for members or guests', async () => {
    const id = await newAccount();
    const etag = await first(id);
    const members = { ...env, NATS: { account_limits: { connections: 7 } } };
    expect((await later(id, etag, members)).claims.nats.limits.conn).toBe(7);
    expect(claimsOf((await resolve(id)).text).nats.limits.conn).toBe(-1);
    await rows(REGION, 'update nats_accounts set guest = 1, revision = revision + 1 where id = ?', id);
    const guests = { ...env, NATS: { guest_limits: { connections: 5 } } };
    const before = await first(id);
    expect((await later(id, before, guests)).claims.nats.limits.conn).toBe(5);
  });

  it('a change of the operator’s key', async () => {
    const id = await newAccount();
    const etag = await first(id);
    const { publicKey, seed } = await createKey('operator');
    const { claims } = await later(id, etag, { ...env, OPERATOR_SIGNING_SEED: seed });
    expect(claims.iss).toBe(publicKey);
  });

  it('the end of a quarter of the lease, or a lease is set, changed or removed', async () => {
    const id = await newAccount();
    const leased = (seconds: number) => ({ ...env, NATS: { account_lease_seconds: seconds } });
    const start = Math.floor(Date.now() / 3_600_000) * 3_600_000;
    const clock = vi.spyOn(Date, 'now').mockReturnValue(start + 1000);
    let etag = await first(id);
    expect(claimsOf((await resolve(id)).text).exp).toBeUndefined();
    const ends: (number | undefined)[] = [];
    for (const [seconds, at] of [
      [3600, 1000],
      [3600, 899_999],
      [3600, 900_000],
      [7200, 900_000],
    ] as const) {
      clock.mockReturnValue(start + at);
      ends.push(claimsOf((await resolve(id, leased(seconds))).text).exp);
      etag = await first(id, leased(seconds));
    }
    const hour = start / 1000 + 3600;
    expect(ends).toEqual([hour, hour, hour + 900, expect.any(Number)]);
    expect(ends[3]).toBeGreaterThan(hour + 900);
    expect((await later(id, etag)).claims.exp).toBeUndefined();
  });

  it('the deletion of the account, and the deletion of its streams', async () => {
    const id = await newAccount();
    const { key } = await newUser(id);
    const etag = await first(id);
    await api.delete(`/nats-accounts/${id}`);
    const deleted = await later(id, etag);
    expect(deleted.claims.nats.revocations).toEqual({ '*': expect.any(Number) });
    expect(deleted.claims.nats.revocations).not.toHaveProperty(key);
    expect(deleted.claims.nats.limits.streams).toBe(100);
    const tombstone = await first(id);
    await recordPurge(openDatabase(env.REGION_FR_PAR), id, Date.now());
    const purged = await later(id, tombstone);
    expect(purged.claims.nats.revocations).toEqual({ '*': NEVER });
    expect(purged.claims.nats.limits.streams).toBe(0);
  });
});
