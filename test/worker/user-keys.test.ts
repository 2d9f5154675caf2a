/** Key pairs that callers create for NATS credentials: the API gets the public key and a proof, never the private key. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { deleteAuditEventsBefore } from '../../db/audit.ts';
import { openDatabase } from '../../db/database.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { base64url, createKey, importSeed } from '../../functions/nats/keys.ts';
import { encodeUserKey, P, smallOrderPoints } from '../unit/ed25519-points.ts';
import { env } from './env.ts';
import { failing } from './fault.ts';
import { clientOf, databaseOf, newOwner, REGIONS, rows } from './harness.ts';

const utf8 = new TextEncoder();

/** A key pair, as a program creates it. */
async function newPair() {
  const { publicKey, seed } = await createKey('user');
  return { publicKey, seed, prove: (text: string) => proveWith(seed, text) };
}

const proveWith = async (seed: string, text: string) =>
  base64url(await (await importSeed(seed)).sign(utf8.encode(text)));

const claimsOf = (jwt: string) => JSON.parse(atob(jwt.split('.')[1] ?? '')) as Record<string, unknown>;

const sha1 = async (text: string) => {
  const digest = await crypto.subtle.digest('SHA-1', utf8.encode(text));
  return Buffer.from(digest).toString('hex');
};

const NAME = 'orders';

interface Sent {
  user_public_key?: unknown;
  proof?: unknown;
  name?: unknown;
}

describe.each(
  REGIONS.flatMap((region) =>
    (['creation', 'rotation'] as const).map((operation) => ({ region, operation })),
  ),
)('the $operation of NATS credentials in $region', ({ region, operation }) => {
  let owner: Owner;
  let api: ReturnType<typeof clientOf>;
  let account: string;

  beforeAll(async () => {
    owner = await newOwner();
    api = clientOf(owner, region);
    account = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
  });

  const create = async (body: object = {}, options = {}) =>
    api.post('/nats-credentials', { nats_account_id: account, name: NAME, ...body }, options);
  /** Sends the operation: a creation, or a rotation of new credentials of that name. */
  async function prepare(): Promise<(body: Sent, options?: object) => ReturnType<typeof create>> {
    if (operation === 'creation') return (body, options) => create(body, options);
    const { id } = (await create()).body;
    return ({ name: _, ...body }, options = {}) => api.post(`/nats-credentials/${id}/rotate`, body, options);
  }
  const send = async (body: Sent, options = {}) => (await prepare())(body, options);
  const bring = async (pair: { publicKey: string; prove: (text: string) => Promise<string> }) => ({
    user_public_key: pair.publicKey,
    proof: await pair.prove(account + NAME),
  });
  const storedKeys = async () =>
    (
      await rows<{ key: string }>(region, 'select key from credentials where nats_account_id = ?', account)
    ).map(({ key }) => key);
  const argumentsOf = (response: { body: Record<string, unknown> }) =>
    (response.body.details as { argument_name: string }[]).map((one) => one.argument_name);

  it('returns only the JWT of the caller’s key', async () => {
    const pair = await newPair();
    const { status, body, text } = await send(await bring(pair));
    expect(status).toBe(200);
    const { name, content } = body.credentials as unknown as { name: string; content: string };
    expect(name).toBe('user.jwt');
    expect(claimsOf(content)).toMatchObject({
      sub: pair.publicKey,
      name: NAME,
      nats: { issuer_account: account },
    });
    expect(body.public_key).toBe(pair.publicKey);
    expect(body.checksum).toBe(await sha1(content));
    expect(text).not.toMatch(/SEED|"SU[A-Z2-7]{56}/);
    expect((await api.get(`/nats-credentials/${body.id}`)).body).toMatchObject({
      public_key: pair.publicKey,
      credentials: null,
    });
  });

  it('without a key still returns a creds file', async () => {
    const { body } = await send({});
    expect(body.credentials).toMatchObject({
      name: 'user.creds',
      content: expect.stringMatching(/BEGIN USER NKEY SEED-----\nSU[A-Z2-7]{56}\n/),
    });
  });

  it('is rejected unless the proof is the signature by the key over the account and the name', async () => {
    const [pair, other] = [await newPair(), await newPair()];
    const elsewhere = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
    const good = await pair.prove(account + NAME);
    const wrong = [
      await other.prove(account + NAME),
      await pair.prove(elsewhere + NAME),
      await pair.prove(`${account}other`),
      await pair.prove(NAME + account),
      await pair.prove(account),
      'A'.repeat(86),
      good.slice(0, -1),
      `${good}==`,
      '',
      7,
    ];
    const request = await prepare();
    for (const proof of wrong) {
      const rejected = await request({ user_public_key: pair.publicKey, proof });
      expect([proof, rejected.status, argumentsOf(rejected)]).toEqual([proof, 400, ['proof']]);
    }
    expect(await storedKeys()).not.toContain(pair.publicKey);
    // None of these used the key.
    expect((await request({ user_public_key: pair.publicKey, proof: good })).status).toBe(200);
  });

  it('is rejected without a proof, or with only a proof', async () => {
    const { user_public_key, proof } = await bring(await newPair());
    const request = await prepare();
    expect(argumentsOf(await request({ user_public_key }))).toEqual(['proof']);
    expect(argumentsOf(await request({ proof }))).toEqual(['user_public_key']);
  });

  it('is rejected for unsafe keys and for other kinds of keys', async () => {
    const request = await prepare();
    const before = await storedKeys();
    const { encodings } = smallOrderPoints();
    // Valid for the identity point and every text: R is the identity point, S is 0.
    const proof = base64url(new Uint8Array(64).with(0, 1));
    const good = (await newPair()).publicKey;
    const keys = [
      ...encodings.map(encodeUserKey),
      ...[P, P + 1n, P + 18n, P | (1n << 255n), 1n | (1n << 255n)].map(encodeUserKey),
      account,
      (await newPair()).seed,
      `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
      good.toLowerCase(),
      `A${good.slice(1)}`,
      '',
      null,
    ];
    for (const user_public_key of keys) {
      const rejected = await request({ user_public_key, proof });
      expect([user_public_key, rejected.status, argumentsOf(rejected)]).toEqual([
        user_public_key,
        400,
        ['user_public_key'],
      ]);
    }
    expect(await storedKeys()).toEqual(before);
  });

  describe('with a key that credentials of the region have or had', () => {
    const rejected = async (pair: { publicKey: string; prove: (text: string) => Promise<string> }) => {
      const before = await storedKeys();
      const { status, body } = await send(await bring(pair));
      expect([status, body]).toMatchObject([
        409,
        { type: 'already_exists', resource: 'user_public_key', resource_id: pair.publicKey },
      ]);
      const after = await storedKeys();
      expect(after.filter((key) => key === pair.publicKey)).toEqual(
        before.filter((key) => key === pair.publicKey),
      );
    };

    it('is rejected while they have it', async () => {
      const pair = await newPair();
      await create(await bring(pair));
      await rejected(pair);
    });

    it('is rejected after they were revoked, even if nothing else remembers them', async () => {
      const pair = await newPair();
      const { id } = (await create(await bring(pair))).body;
      await api.delete(`/nats-credentials/${id}`);
      await rejected(pair);
      await rows(region, 'delete from nats_revocations where user_key = ?', pair.publicKey);
      await deleteAuditEventsBefore(openDatabase(databaseOf(region)), Date.now() + 1, 100_000);
      await rejected(pair);
    });

    it('is rejected during and after a rotation, finished or canceled', async () => {
      for (const end of ['finish', 'cancel']) {
        const [first, second] = [await newPair(), await newPair()];
        const { id } = (await create(await bring(first))).body;
        const path = `/nats-credentials/${id}/rotate`;
        expect((await api.post(path, await bring(second))).status).toBe(200);
        await rejected(first);
        await rejected(second);
        expect((await api.post(`${path}/${end}`)).status).toBe(200);
        await rejected(first);
        await rejected(second);
      }
    });

    it('is rejected if the API created the pair', async () => {
      const { body } = await create();
      const content = (body.credentials as unknown as { content: string }).content;
      const [, seed = ''] = /\n(SU[A-Z2-7]{56})\n/.exec(content) ?? [];
      const pair = { publicKey: String(body.public_key), prove: (text: string) => proveWith(seed, text) };
      await rejected(pair);
      await api.delete(`/nats-credentials/${body.id}`);
      await rejected(pair);
    });

    it('is rejected if they belong to another organization, or their account was deleted', async () => {
      const stranger = await newOwner();
      const theirs = clientOf(stranger, region);
      const id = (await theirs.post('/nats-accounts', { project_id: stranger.project_id })).body.id;
      const pair = await newPair();
      const proof = await pair.prove(id + NAME);
      const body = { nats_account_id: id, name: NAME, user_public_key: pair.publicKey, proof };
      expect((await theirs.post('/nats-credentials', body)).status).toBe(200);
      await rejected(pair);
      await theirs.delete(`/nats-accounts/${id}`);
      await rejected(pair);
    });

    it('is accepted in another region', async () => {
      const pair = await newPair();
      await create(await bring(pair));
      const other = clientOf(owner, region === 'fr-par' ? 'nl-ams' : 'fr-par');
      const id = (await other.post('/nats-accounts', { project_id: owner.project_id })).body.id;
      const body = { user_public_key: pair.publicKey, proof: await pair.prove(id + NAME) };
      expect(
        (await other.post('/nats-credentials', { nats_account_id: id, name: NAME, ...body })).status,
      ).toBe(200);
    });
  });

  it('with one key succeeds once in a race of 200, with one audit row', async () => {
    const pair = await newPair();
    const body = await bring(pair);
    const targets = await Promise.all(Array.from({ length: operation === 'creation' ? 1 : 20 }, prepare));
    const responses = await Promise.all(
      Array.from({ length: 200 }, (_, at) => (targets[at % targets.length] ?? expect.unreachable())(body)),
    );
    const statuses = responses.map(({ status }) => status);
    expect([
      statuses.filter((one) => one === 200).length,
      statuses.filter((one) => one === 409).length,
    ]).toEqual([1, 199]);
    expect((await storedKeys()).filter((key) => key === pair.publicKey)).toHaveLength(1);
    const trail = await rows(region, "select 1 from audit_events where after ->> 'key' = ?", pair.publicKey);
    expect(trail).toHaveLength(1);
  });

  it('is repeated by a retry with the same Idempotency-Key, and rejected without it', async () => {
    const pair = await newPair();
    const body = await bring(pair);
    const request = await prepare();
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    const responses = await Promise.all(Array.from({ length: 20 }, () => request(body, { headers })));
    expect(new Set(responses.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(responses[0]?.status).toBe(200);
    expect((await request(body, { headers })).text).toBe(responses[0]?.text);
    expect((await request(body)).status).toBe(409);
    const other = await request(await bring(await newPair()), { headers });
    expect([other.status, argumentsOf(other)]).toEqual([400, ['Idempotency-Key']]);
  });

  it('is repeated by a retry if only the response was lost', async () => {
    const body = await bring(await newPair());
    const request = await prepare();
    const broken = failing(databaseOf(region), /insert into nats_user_keys/, 'after');
    const bindings = { ...env, [region === 'fr-par' ? 'REGION_FR_PAR' : 'REGION_NL_AMS']: broken };
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    const log = silence();
    expect((await request(body, { headers, env: bindings })).status).toBe(503);
    log();
    expect((await request(body, { headers })).body.credentials).toMatchObject({ name: 'user.jwt' });
  });

  it('records that the caller created the key, and does not otherwise', async () => {
    const pair = await newPair();
    const [mine, theirs] = [(await send(await bring(pair))).body, (await send({})).body];
    const recorded = async (id: unknown) =>
      (
        await rows<{ key: string; origin: string | null }>(
          region,
          `select after ->> 'key' as key, after ->> 'key_from' as origin from audit_events
            where resource_id = ? order by id desc limit 1`,
          id,
        )
      )[0];
    expect(await recorded(mine.id)).toEqual({ key: pair.publicKey, origin: 'caller' });
    expect((await recorded(theirs.id))?.origin).toBeNull();
  });

  it('is not found in an account of another organization', async () => {
    const pair = await newPair();
    const body = await bring(pair);
    const stranger = clientOf(await newOwner(), region);
    const { id } = (await create()).body;
    const rejected =
      operation === 'creation'
        ? await stranger.post('/nats-credentials', { nats_account_id: account, name: NAME, ...body })
        : await stranger.post(`/nats-credentials/${id}/rotate`, body);
    expect(rejected.status).toBe(404);
    // The key is still unused.
    expect((await send(body)).status).toBe(200);
  });
});

describe('the creation of NATS credentials with the caller’s key', () => {
  it('requires a name, which is signed without the spaces around it', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    const account = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
    const pair = await newPair();
    const body = {
      nats_account_id: account,
      user_public_key: pair.publicKey,
      proof: await pair.prove(account),
    };
    const nameless = await api.post('/nats-credentials', body);
    expect([nameless.status, nameless.body.details]).toMatchObject([
      400,
      [{ argument_name: 'name', help_message: 'is required with user_public_key' }],
    ]);
    const proof = await pair.prove(`${account}東京 🗝️`);
    const created = await api.post('/nats-credentials', { ...body, proof, name: '  東京 🗝️ ' });
    expect([created.status, created.body.name]).toEqual([200, '東京 🗝️']);
  });
});

describe('the rotation of credentials', () => {
  it('to the key that they have is rejected, and changes nothing', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    const account = (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id;
    const pair = await newPair();
    const body = { user_public_key: pair.publicKey, proof: await pair.prove(account + NAME) };
    const { id } = (await api.post('/nats-credentials', { nats_account_id: account, name: NAME, ...body }))
      .body;
    const before = (await api.get(`/nats-credentials/${id}`)).text;
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    expect((await api.post(`/nats-credentials/${id}/rotate`, body, { headers })).status).toBe(409);
    expect((await api.get(`/nats-credentials/${id}`)).text).toBe(before);
    const next = await newPair();
    const nextBody = { user_public_key: next.publicKey, proof: await next.prove(account + NAME) };
    // The failed request recorded nothing under this key.
    expect((await api.post(`/nats-credentials/${id}/rotate`, nextBody, { headers })).status).toBe(200);
  });

  it('of Queues ignores a public key, as unknown members are ignored', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    await api.post('/activate-sqs', { project_id: owner.project_id });
    const body = { project_id: owner.project_id, permissions: { can_publish: true }, user_public_key: 'x' };
    const { id } = (await api.post('/sqs-credentials', body)).body;
    expect(
      (await api.post(`/sqs-credentials/${id}/rotate`, { user_public_key: 'x' })).body.secret_key,
    ).toBeTruthy();
  });
});

/** Expects errors in the log. Returns a function that restores the log. */
function silence(): () => void {
  const log = vi.spyOn(console, 'error').mockReturnValue();
  return () => {
    expect(log).toHaveBeenCalled();
    log.mockRestore();
  };
}
