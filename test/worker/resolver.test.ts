/** The NATS account resolver: serves account JWTs that follow from the rows of its region only. */
import { decode } from '@nats-io/jwt';
import { describe, expect, it } from 'vitest';
import { importSeed } from '../../functions/nats/keys.ts';
import { configOf } from '../../functions/shared/env.ts';
import { env } from './env.ts';
import { call, clientOf, newOwner, REGIONS, rows } from './harness.ts';

interface AccountClaims {
  sub: string;
  iss: string;
  iat: number;
  name: string;
  nats: { signing_keys?: string[]; revocations?: Record<string, number>; limits: Record<string, number> };
}

const resolve = (region: string, id: string, headers = {}) =>
  call('GET', `/jwt/v1/${region}/accounts/${id}`, { headers });
const claimsOf = async (region: string, id: string) =>
  decode((await resolve(region, id)).text) as unknown as AccountClaims;
const userOf = (content: string) =>
  decode(content.split('\n')[1] ?? '') as unknown as { sub: string; iat: number };

describe.each(REGIONS)('the resolver of %s', (region) => {
  const elsewhere = REGIONS.find((other) => other !== region) ?? '';

  it('responds at its base URL, which nats-server requires to start', async () => {
    expect((await resolve(region, '')).status).toBe(200);
    expect((await call('GET', '/jwt/v1/us-xyz/accounts/')).status).toBe(400);
  });

  it('serves an account JWT, signed by the operator, at its ID only', async () => {
    const owner = await newOwner();
    const body = { project_id: owner.project_id, name: 'a human name' };
    const { id } = (await clientOf(owner, region).post('/nats-accounts', body)).body;
    const response = await resolve(region, id);
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('application/jwt');
    const claims = decode(response.text) as unknown as AccountClaims;
    const operator = await importSeed(configOf(env).operatorSigningSeed);
    expect(claims).toMatchObject({ sub: id, iss: operator.publicKey, name: id });
    expect(claims.nats.signing_keys).toHaveLength(1);
    expect(claims.nats.limits).toMatchObject({ conn: -1, subs: -1, streams: 100, mem_storage: 0 });

    const etag = response.headers.get('ETag') ?? '';
    const unchanged = await resolve(region, id, { 'If-None-Match': etag });
    expect([unchanged.status, unchanged.text]).toEqual([304, '']);
    expect((await resolve(elsewhere, id)).status).toBe(404);
  });

  it('serves each revocation, dated at or after the second of creation, in a newer JWT', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, region);
    const { id } = (await api.post('/nats-accounts', { project_id: owner.project_id })).body;
    const before = await resolve(region, id);
    const made = await Promise.all(
      Array.from({ length: 5 }, () => api.post('/nats-credentials', { nats_account_id: id })),
    );
    await Promise.all(made.slice(1).map(({ body }) => api.delete(`/nats-credentials/${body.id}`)));
    const claims = await claimsOf(region, id);
    expect(claims.iat).toBeGreaterThanOrEqual((decode(before.text) as unknown as AccountClaims).iat + 4);
    const users = made.map(({ body }) => userOf(body.credentials.content));
    const revoked = claims.nats.revocations ?? {};
    expect(Object.keys(revoked).sort()).toEqual(
      users
        .slice(1)
        .map(({ sub }) => sub)
        .sort(),
    );
    for (const { sub, iat } of users.slice(1)) expect(revoked[sub]).toBeGreaterThanOrEqual(iat);
    expect((await resolve(region, id)).headers.get('ETag')).not.toBe(before.headers.get('ETag'));
  });

  it('dates a revocation at the second of creation when the creating clock was ahead', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, region);
    const { id } = (await api.post('/nats-accounts', { project_id: owner.project_id })).body;
    const create = () => api.post('/nats-credentials', { nats_account_id: id });
    const [made] = [await create(), await create()];
    const createdAt = Math.floor(Date.now() / 1000) + 60;
    await rows(
      region,
      'update credentials set created_at = ? where nats_account_id = ?',
      createdAt * 1000,
      id,
    );
    await api.delete(`/nats-credentials/${made.body.id}`);
    const { sub } = userOf(made.body.credentials.content);
    expect((await claimsOf(region, id)).nats.revocations).toEqual({ [sub]: createdAt });
    await api.delete(`/nats-accounts/${id}`);
    expect((await claimsOf(region, id)).nats.revocations).toEqual({ '*': createdAt });
  });

  it('keeps serving a deleted account, with all users revoked', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, region);
    const { id } = (await api.post('/nats-accounts', { project_id: owner.project_id })).body;
    const made = await api.post('/nats-credentials', { nats_account_id: id });
    await api.delete(`/nats-accounts/${id}`);
    const { revocations } = (await claimsOf(region, id)).nats;
    expect(Object.keys(revocations ?? {})).toEqual(['*']);
    expect(revocations?.['*']).toBeGreaterThanOrEqual(userOf(made.body.credentials.content).iat);
  });

  it('serves its own system account, which the other region does not', async () => {
    const system = await importSeed(configOf(env).regions.get(region)?.systemSeed ?? '');
    expect(await claimsOf(region, system.publicKey)).toMatchObject({ sub: system.publicKey });
    expect((await resolve(elsewhere, system.publicKey)).status).toBe(404);
  });

  it('returns 404 for unknown IDs', async () => {
    for (const id of [`A${'B'.repeat(55)}`, 'nonsense', '..%2f..%2f', "' or 1=1"]) {
      expect((await resolve(region, encodeURIComponent(id))).status).toBe(404);
    }
  });
});

describe('the resolver', () => {
  it('rate limits networks that request many unknown accounts, but never an existing account', async () => {
    const system = await importSeed(configOf(env).regions.get('fr-par')?.systemSeed ?? '');
    const owner = await newOwner();
    const { id } = (await clientOf(owner, 'fr-par').post('/nats-accounts', { project_id: owner.project_id }))
      .body;
    const ask = async (account: string, address: string) =>
      (await resolve('fr-par', account, { 'CF-Connecting-IP': address })).status;
    const unknown = `A${'B'.repeat(55)}`;
    let [refused, sent] = [0, 0];
    // Twice the limit of a minute, because a new minute can begin during the test.
    while (refused === 0 && sent < 12_500) {
      const statuses = await Promise.all(
        Array.from({ length: 250 }, (_, host) => ask(unknown, `2001:db8:0:1::${host.toString(16)}`)),
      );
      sent += statuses.length;
      refused += statuses.filter((status) => status === 429).length;
    }
    expect(refused).toBeGreaterThan(0);
    expect(sent).toBeGreaterThan(6_000);
    expect(await ask(id, '2001:db8:0:1::1')).toBe(200);
    expect(await ask(system.publicKey, '2001:db8:0:1::1')).toBe(200);
    expect(await ask(unknown, '2001:db8:0:2::1')).toBe(404);
  });
});
