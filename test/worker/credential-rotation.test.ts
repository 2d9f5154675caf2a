/** Rotation of credentials: two keys that both work, and the ways in which one of them ends. */
import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { PRODUCT_IDS } from '../../db/products.ts';
import { getAccountState, shortenRevocations } from '../../db/region/account-sync.ts';
import { recordLastUses } from '../../db/region/last-use.ts';
import { endDueCredentials } from '../../functions/credentials/end-due.ts';
import { reseal } from '../../functions/credentials/reseal.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { configOf, type Region, type SealingKey } from '../../functions/shared/env.ts';
import { env } from './env.ts';
import { failing } from './fault.ts';
import { call, clientOf, newOwner, ORIGIN, rows } from './harness.ts';

const HOUR_MS = 3_600_000;
const OPERATIONS = ['rotate', 'rotate/finish', 'update', 'disable', 'rotate/cancel', 'expire', 'enable'];

describe.each(
  PRODUCT_IDS.flatMap((product) => ['fr-par', 'nl-ams'].map((region) => [product, region] as const)),
)('a rotation of %s credentials in %s', (product, region) => {
  const path = `/${product}-credentials`;
  let owner: Owner;
  let api: ReturnType<typeof clientOf>;
  let parent: Record<string, unknown>;

  beforeAll(async () => {
    owner = await newOwner();
    api = clientOf(owner, region);
    const { project_id } = owner;
    if (product === 'nats') {
      parent = { nats_account_id: (await api.post('/nats-accounts', { project_id })).body.id };
    } else {
      await api.post(`/activate-${product}`, { project_id });
      parent = { project_id, permissions: { can_receive: true } };
    }
  });

  const create = async (fields: object = {}) => (await api.post(path, { ...parent, ...fields })).body;
  const get = async (id: string) => (await api.get(`${path}/${id}`)).body;
  const keyOf = (body: Record<string, string>) =>
    (product === 'nats' ? body.public_key : body.access_key) ?? '';
  const previousKeyOf = ({ rotation }: { rotation: Record<string, string> }) =>
    (product === 'nats' ? rotation.previous_public_key : rotation.previous_access_key) ?? '';
  const secretOf = (body: { credentials: { content: string }; secret_key: string }) =>
    product === 'nats' ? body.credentials.content : body.secret_key;
  const use = (key: string, at = Date.now()) =>
    recordLastUses(openDatabase(databaseOf(region)), [{ key, at }]);
  const schedule = () => endDueCredentials(configOf(env), regionOf(region), Date.now() + 10_000);
  const alter = (id: string, set: string) =>
    rows(region, `update rotations set ${set} where credential_id = ?`, id);

  /** Which keys work: those that the gateway knows, or those that the account does not revoke. */
  async function working(created: Made, rotated: Made): Promise<string[]> {
    const all = { old: created, new: rotated };
    const results = await Promise.all(
      Object.entries(all).map(async ([name, one]) => ((await works(one)) ? [name] : [])),
    );
    return results.flat();
  }

  async function works(one: Made): Promise<boolean> {
    if (product !== 'nats') return (await codeOf(one, product, region)) !== 'InvalidClientTokenId';
    const state = await getAccountState(openDatabase(databaseOf(region)), String(parent.nats_account_id));
    return !(keyOf(one) in (state?.revocations ?? {}));
  }

  it('keeps id, name and everything else, returns a new secret once, and both keys work', async () => {
    const created = await create({ name: 'rotating', tags: ['a'] });
    const rotated = (await api.post(`${path}/${created.id}/rotate`, {})).body;
    expect(rotated).toMatchObject({
      id: created.id,
      name: 'rotating',
      tags: ['a'],
      created_at: created.created_at,
    });
    expect(keyOf(rotated)).not.toBe(keyOf(created));
    expect(secretOf(rotated)).not.toBe(secretOf(created));
    expect(previousKeyOf(rotated)).toBe(keyOf(created));
    expect(rotated.rotation).toMatchObject({ first_used_at: null, previous_ends_at: null });
    expect(JSON.stringify(await get(created.id))).not.toContain(secretOf(rotated));
    expect(await working(created, rotated)).toEqual(['old', 'new']);
    const lookup = await call('GET', `/mnq/v1beta1/lookup?key=${keyOf(created)}`, {
      token: owner.secret_key,
    });
    expect(lookup.body.results[0]?.credentials.id).toBe(created.id);
  });

  it('is refused while another is in progress, or the credentials are disabled or expired', async () => {
    const { id } = await create();
    const rotate = async () => (await api.post(`${path}/${id}/rotate`, {})).status;
    expect([await rotate(), await rotate()]).toEqual([200, 409]);
    await api.post(`${path}/${id}/rotate/finish`);
    await api.post(`${path}/${id}/disable`, {});
    expect(await rotate()).toBe(412);
    await api.post(`${path}/${id}/enable`);
    await rows(region, 'update credentials set expires_at = 1 where id = ?', id);
    expect(await rotate()).toBe(412);
    for (const overlap_seconds of [-1, 31 * 86_400, 'a day'])
      expect((await api.post(`${path}/${id}/rotate`, { overlap_seconds })).status).toBe(400);
  });

  it('returns the same secret when the request is repeated with its idempotency key', async () => {
    const { id } = await create();
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    const once = async () => (await api.post(`${path}/${id}/rotate`, {}, { headers })).body;
    const [first, second] = [await once(), await once()];
    expect(secretOf(second)).toBe(secretOf(first));
    await api.post(`${path}/${id}/rotate/finish`);
    expect(secretOf(await once())).toBe(secretOf(first));
  });

  it('ends the old key after the first use of the new one plus the overlap, and never before', async () => {
    const created = await create();
    const rotated = (await api.post(`${path}/${created.id}/rotate`, { overlap_seconds: 3600 })).body;
    await alter(created.id, `started_at = ${Date.now() - 100 * 24 * HOUR_MS}`);
    await schedule();
    expect(await works(created)).toBe(true);
    const now = Date.now();
    await use(keyOf(rotated), now);
    const { rotation } = await get(created.id);
    expect(rotation.first_used_at).toBe(new Date(now).toISOString());
    expect(rotation.previous_ends_at).toBe(new Date(now + HOUR_MS).toISOString());
    await schedule();
    expect(await working(created, rotated)).toEqual(['old', 'new']);
    await alter(created.id, `ends_at = ${now - 25 * HOUR_MS}`);
    await schedule();
    expect(await working(created, rotated)).toEqual(['new']);
    expect((await get(created.id)).rotation).toBeNull();
  });

  it('leaves an old key that was used in the last 15 minutes for at most a day', async () => {
    const created = await create();
    const rotated = (await api.post(`${path}/${created.id}/rotate`, { overlap_seconds: 0 })).body;
    await alter(created.id, `started_at = ${Date.now() - 48 * HOUR_MS}`);
    await use(keyOf(rotated), Date.now() - 23 * HOUR_MS);
    await use(keyOf(created), Date.now() - 60_000);
    await schedule();
    expect(await working(created, rotated)).toEqual(['old', 'new']);
    await alter(created.id, `ends_at = ${Date.now() - 25 * HOUR_MS}`);
    await schedule();
    expect(await working(created, rotated)).toEqual(['new']);
  });

  it.each([
    ['finish', 'new'],
    ['cancel', 'old'],
  ])('can be ended at once: %s leaves the %s key', async (operation, left) => {
    const created = await create();
    const rotated = (await api.post(`${path}/${created.id}/rotate`, {})).body;
    expect(await working(created, rotated)).toEqual(['old', 'new']);
    const ended = await api.post(`${path}/${created.id}/rotate/${operation}`);
    expect(ended.status).toBe(200);
    expect(ended.headers.get('Latchkey-Enforcement')).toMatch(/^(enforced|pending)/);
    expect(ended.body.rotation).toBeNull();
    expect(keyOf(ended.body)).toBe(keyOf(left === 'new' ? rotated : created));
    expect(await working(created, rotated)).toEqual([left]);
    expect((await api.post(`${path}/${created.id}/rotate/${operation}`)).status).toBe(412);
  });

  it('is covered by disabling, enabling and revoking: both keys', async () => {
    const created = await create();
    const rotated = (await api.post(`${path}/${created.id}/rotate`, {})).body;
    await api.post(`${path}/${created.id}/disable`, {});
    expect(await working(created, rotated)).toEqual([]);
    await api.post(`${path}/${created.id}/enable`);
    expect(await working(created, rotated)).toEqual(['old', 'new']);
    await api.delete(`${path}/${created.id}`);
    expect(await working(created, rotated)).toEqual([]);
    expect(await rows(region, 'select * from rotations where credential_id = ?', created.id)).toEqual([]);
  });

  it('that is ended while the credentials are disabled stays ended when they are enabled', async () => {
    const created = await create();
    const rotated = (await api.post(`${path}/${created.id}/rotate`, {})).body;
    await api.post(`${path}/${created.id}/disable`, {});
    await api.post(`${path}/${created.id}/rotate/finish`);
    await api.post(`${path}/${created.id}/enable`);
    expect(await working(created, rotated)).toEqual(['new']);
  });

  it('writes nothing when its audit row cannot be written', async () => {
    const created = await create();
    const broken = {
      ...env,
      REGION_FR_PAR: failing(env.REGION_FR_PAR, /insert into audit_events/),
      REGION_NL_AMS: failing(env.REGION_NL_AMS, /insert into audit_events/),
    };
    const response = await api.post(`${path}/${created.id}/rotate`, {}, { env: broken });
    expect(response.status).toBe(503);
    expect((await get(created.id)).rotation).toBeNull();
    const rotated = (await api.post(`${path}/${created.id}/rotate`, {})).body;
    expect((await api.post(`${path}/${created.id}/rotate/cancel`, undefined, { env: broken })).status).toBe(
      503,
    );
    expect(await working(created, rotated)).toEqual(['old', 'new']);
  });

  it.each([
    ['', -1],
    [', then nothing is left when one of them revokes', 170],
  ])('ends in one legal state after 200 concurrent contrary operations%s', async (_, revokeAt) => {
    const created = await create({ expires_at: new Date(Date.now() + HOUR_MS).toISOString() });
    const made: Made[] = [created];
    await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        if (i === revokeAt) return api.delete(`${path}/${created.id}`);
        const operation = OPERATIONS[i % OPERATIONS.length];
        if (operation === 'expire') await schedule();
        if (operation === 'expire' || operation === 'update') {
          // NATS credentials cannot be updated.
          if (product === 'nats') return;
          const expires_at = new Date(Date.now() + (operation === 'update' ? HOUR_MS : 30)).toISOString();
          return api.patch(`${path}/${created.id}`, { name: `name ${i}`, tags: [`tag ${i}`], expires_at });
        }
        const response = await api.post(`${path}/${created.id}/${operation}`, {});
        if (operation === 'rotate' && response.status === 200) made.push(response.body);
      }),
    );
    const events = await rows<{ action: string; before: string | null; after: string | null }>(
      region,
      'select action, before, after from audit_events where resource_id = ? order by id',
      created.id,
    );
    // Each change starts from the result of the change before it. Only rotations record the key.
    const stateOf = (json: string | null) => ({ ...JSON.parse(json ?? 'null'), key: null });
    for (const [at, { before }] of events.entries())
      if (at > 0) expect(stateOf(before)).toEqual(stateOf(events[at - 1]?.after ?? null));
    const rotations = events.filter(({ action }) => action.includes('rotat'));
    // A rotation starts only when none is in progress, and ends once.
    for (const [at, { action }] of rotations.entries()) expect(action === 'rotate').toBe(at % 2 === 0);

    const status = async () => (await api.get(`${path}/${created.id}`)).status;
    const expected: string[] = [];
    if (revokeAt >= 0) {
      expect(await status()).toBe(404);
      expect(events.at(-1)?.action).toBe('revoke');
    } else {
      const { disabled_at } = await get(created.id);
      expect(events.map(({ action }) => action).findLast((action) => action.endsWith('able'))).toBe(
        disabled_at ? 'disable' : 'enable',
      );
      if (disabled_at) for (const one of made) expect(await works(one)).toBe(false);
      await api.post(`${path}/${created.id}/enable`);
      if (product !== 'nats') {
        await api.patch(`${path}/${created.id}`, { expires_at: new Date(Date.now() + 500).toISOString() });
        await new Promise((resolve) => setTimeout(resolve, 600));
        for (const one of made) expect(await works(one)).toBe(false);
        await api.patch(`${path}/${created.id}`, { expires_at: null });
      }
      const now = await get(created.id);
      expected.push(keyOf(now), ...(now.rotation ? [previousKeyOf(now)] : []));
      expect(rotations.length % 2).toBe(now.rotation ? 1 : 0);
    }
    const results = await Promise.all(made.map(async (one) => ((await works(one)) ? [keyOf(one)] : [])));
    expect(results.flat().sort()).toEqual(expected.sort());
  });

  if (product === 'nats') {
    it('counts the key to revoke from its start, and compacting the revocations keeps both keys', async () => {
      const created = await create();
      const account = String(parent.nats_account_id);
      const revocations = async () =>
        (
          await rows<{ value: number }>(
            region,
            `select value from counts where scope = ? and resource = 'nats_revocations'`,
            account,
          )
        )[0]?.value ?? 0;
      const before = await revocations();
      const rotated = (await api.post(`${path}/${created.id}/rotate`, {})).body;
      expect(await revocations()).toBe(before + 1);
      await shortenRevocations(openDatabase(databaseOf(region)), account, Date.now() + HOUR_MS);
      const state = await getAccountState(openDatabase(databaseOf(region)), account);
      const issued = Math.floor(Date.parse(created.created_at) / 1000);
      expect(state?.revocations['*'] ?? 0).toBeLessThan(issued);
      expect(await working(created, rotated)).toEqual(['old', 'new']);
      const atStart = await revocations();
      await api.post(`${path}/${created.id}/rotate/finish`);
      expect(await revocations()).toBe(atStart);
    });
  } else {
    it('keeps both secrets readable when sealing keys are rotated', async () => {
      const created = await create();
      const rotated = (await api.post(`${path}/${created.id}/rotate`, {})).body;
      const [newest, old] = JSON.parse(env.SEALING_KEYS as string) as [SealingKey, SealingKey];
      for (const keys of [
        [old, newest],
        [newest, old],
      ] as SealingKey[][]) {
        await reseal(regionOf(region), keys);
        const held = 'select sealing_key_id as id from rotations where credential_id = ?';
        expect(await rows(region, held, created.id)).toEqual([{ id: keys[0]?.id }]);
        expect(await working(created, rotated)).toEqual(['old', 'new']);
      }
    });

    it('records the first use of the new key at once, though the old one was just used', async () => {
      const created = await create();
      await codeOf(created, product, region);
      await expect.poll(async () => (await get(created.id)).last_used_at, { timeout: 10_000 }).not.toBeNull();
      const rotated = (await api.post(`${path}/${created.id}/rotate`, {})).body;
      await codeOf(rotated, product, region);
      await expect
        .poll(async () => (await get(created.id)).rotation.first_used_at, { timeout: 10_000 })
        .not.toBeNull();
    });
  }
});

// biome-ignore lint/suspicious/noExplicitAny: the JSON of any product.
type Made = any;

/** Sends a signed request and returns the code of the error. The region has no engine, so permitted requests fail too. */
async function codeOf(made: Made, service: string, region: string): Promise<string> {
  const signer = new AwsClient({
    accessKeyId: made.access_key,
    secretAccessKey: made.secret_key,
    region,
    service,
  });
  const body = service === 'sqs' ? 'Action=ListQueues' : 'Action=ListTopics';
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const request = await signer.sign(`${ORIGIN}/`, { method: 'POST', headers, body });
  request.headers.set('Host', new URL(ORIGIN).host);
  const sent = new Request(request.url, { method: 'POST', headers: request.headers, body });
  const text = await (await app.fetch(sent, env)).text();
  return /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? 'ok';
}

function regionOf(name: string): Region {
  const region = configOf(env).regions.get(name);
  if (!region) throw new Error(`no region ${name}`);
  return region;
}

const databaseOf = (region: string) => regionOf(region).database;
