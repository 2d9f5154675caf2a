/**
 * The JWTs and creds of functions/nats, decoded and verified with the official library. test/e2e/nats-encoder.test.ts
 * tests them against a real server.
 */
import {
  type Account,
  type ClaimsData,
  decode,
  encodeUser,
  type Operator,
  parseCreds,
  type User,
} from '@nats-io/jwt';
import { fromPublic, fromSeed } from '@nats-io/nkeys';
import { credsAuthenticator } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { credsText } from '../../functions/nats/creds.ts';
import { accountJwt, operatorJwt, systemAccountJwt, userJwt } from '../../functions/nats/jwt.ts';
import { createKey, importSeed, type SigningKey } from '../../functions/nats/keys.ts';
import { natsSettings } from '../../functions/shared/env.ts';

const issuedAt = 1_790_000_000;
const hours = 3600;
let operator: SigningKey;
let operatorSigning: SigningKey;
let identity: SigningKey;
let signing: SigningKey;
let signingSeed: string;
let user: { publicKey: string; seed: string };

beforeAll(async () => {
  const keys = await Promise.all((['operator', 'operator', 'account', 'account'] as const).map(createKey));
  const imported = await Promise.all(keys.map(({ seed }) => importSeed(seed)));
  [operator, operatorSigning, identity, signing] = imported as [
    SigningKey,
    SigningKey,
    SigningKey,
    SigningKey,
  ];
  signingSeed = keys[3]?.seed ?? '';
  user = await createKey('user');
});

describe('an operator JWT', () => {
  it('is signed by the identity key and lists the signing keys', async () => {
    const now = issuedAt * 1000 + 999;
    const jwt = await operatorJwt({
      name: 'Clé 鍵',
      identity: operator,
      signingKeys: [operatorSigning.publicKey],
      now,
    });
    expect(header(jwt)).toEqual({ typ: 'JWT', alg: 'ed25519-nkey' });
    expect(verified<Operator>(jwt)).toEqual({
      sub: operator.publicKey,
      iss: operator.publicKey,
      name: 'Clé 鍵',
      iat: issuedAt,
      jti: expect.any(String),
      nats: { type: 'operator', version: 2, signing_keys: [operatorSigning.publicKey] },
    });
  });
});

describe('an account JWT', () => {
  const account = () => ({
    id: identity.publicKey,
    issuer: operatorSigning,
    signingKeys: [signing.publicKey],
    issuedAt,
    revocations: {},
  });

  it('is named by its ID and states every limit as unlimited', async () => {
    expect(verified<Account>(await accountJwt(account()))).toEqual({
      sub: identity.publicKey,
      iss: operatorSigning.publicKey,
      name: identity.publicKey,
      iat: issuedAt,
      jti: expect.stringMatching(/^[A-Z2-7]{52}$/),
      nats: {
        type: 'account',
        version: 2,
        signing_keys: [signing.publicKey],
        limits: {
          subs: -1,
          data: -1,
          payload: -1,
          imports: -1,
          exports: -1,
          wildcards: true,
          conn: -1,
          leaf: -1,
          mem_storage: -1,
          disk_storage: -1,
          streams: -1,
          consumer: -1,
        },
        default_permissions: {
          pub: { deny: ['$JS.API.ACCOUNT.>', '$JS.API.SERVER.>', '$JS.API.META.>'] },
        },
      },
    });
  });

  it('contains the given limits, including zero, and an expiry', async () => {
    const limits = { connections: 10, payload: 1024, memory: 0, disk: 1 << 20, streams: 3, consumers: 5 };
    const { exp, nats } = verified<Account>(
      await accountJwt({ ...account(), limits, expiresAt: issuedAt + hours }),
    );
    expect(exp).toBe(issuedAt + hours);
    expect(nats.limits).toMatchObject({
      conn: 10,
      payload: 1024,
      mem_storage: 0,
      disk_storage: 1 << 20,
      streams: 3,
      consumer: 5,
      subs: -1,
    });
  });

  it('does not depend on the order of its revocations, and changes when one is added', async () => {
    const one = { ...account(), revocations: { [user.publicKey]: 1, '*': 2 } };
    const other = { ...account(), revocations: { '*': 2, [user.publicKey]: 1 } };
    expect(await accountJwt(one)).toBe(await accountJwt(other));
    const first = verified<Account>(await accountJwt(one));
    const second = verified<Account>(await accountJwt({ ...one, revocations: { '*': 2 } }));
    expect(first.nats.revocations).toEqual({ '*': 2, [user.publicKey]: 1 });
    expect(second.jti).not.toBe(first.jti);
  });

  it('fits in a message to the server with the maximum number of revocations, with room for roles', async () => {
    const most = z.toJSONSchema(natsSettings, { io: 'input' }).properties?.max_revocations;
    const revocations = Object.fromEntries(
      Array.from({ length: (most as { maximum: number }).maximum }, (_, index) => [
        `U${String(index).padStart(55, 'A')}`,
        issuedAt,
      ]),
    );
    const jwt = await accountJwt({ ...account(), revocations, expiresAt: issuedAt + hours });
    expect(jwt.length).toBeLessThan((1 << 20) - 150_000);
    const [head, body, signature] = jwt.split('.') as [string, string, string];
    const key = fromPublic(operatorSigning.publicKey);
    expect(key.verify(Buffer.from(`${head}.${body}`), Buffer.from(signature, 'base64url'))).toBe(true);
    expect(JSON.parse(Buffer.from(body, 'base64url').toString()).nats.revocations).toEqual(revocations);
  });

  it('of a system account has no JetStream and no signing keys', async () => {
    const jwt = await systemAccountJwt({ id: identity.publicKey, issuer: operatorSigning, issuedAt });
    const { nats } = verified<Account>(jwt);
    expect(Object.keys(nats).sort()).toEqual(['limits', 'type', 'version']);
    expect(Object.keys(nats.limits ?? {}).sort()).toEqual(
      ['conn', 'data', 'exports', 'imports', 'leaf', 'payload', 'subs', 'wildcards'].sort(),
    );
  });
});

describe('a user JWT', () => {
  const claims = (name = 'worker') => ({
    publicKey: user.publicKey,
    name,
    issuer: signing,
    issuerAccount: identity.publicKey,
    issuedAt,
  });

  it('matches the claims that the official library creates', async () => {
    const ours = verified<User>(await userJwt(claims()));
    const theirs = verified<User>(
      await encodeUser(
        'worker',
        user.publicKey,
        identity.publicKey,
        {},
        { signer: fromSeed(new TextEncoder().encode(signingSeed)) },
      ),
    );
    for (const member of ['sub', 'iss', 'name'] as const) expect(ours[member]).toBe(theirs[member]);
    expect(ours.nats).toEqual({
      type: 'user',
      version: 2,
      issuer_account: identity.publicKey,
      subs: -1,
      data: -1,
      payload: -1,
    });
    expect(theirs.nats).toMatchObject({ ...ours.nats });
    expect(ours).not.toHaveProperty('exp');
  });

  it.each(['請求書 発行', '🗝️ ключ', 'a"b\\c\n', '', 'é'.repeat(400)])(
    'preserves the name %j',
    async (name) => {
      expect(verified<User>(await userJwt(claims(name))).name).toBe(name);
    },
  );

  it('signed by the account’s identity key has no issuer account', async () => {
    const { iss, nats } = verified<User>(await userJwt({ ...claims(), issuer: identity }));
    expect(iss).toBe(identity.publicKey);
    expect(nats).not.toHaveProperty('issuer_account');
  });

  it('contains its expiry and permissions, and an empty list denies everything', async () => {
    const permissions = { publish: ['$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE'], subscribe: [] };
    const { exp, nats } = verified<User>(
      await userJwt({ ...claims(), expiresAt: issuedAt + 60, permissions }),
    );
    expect(exp).toBe(issuedAt + 60);
    expect(nats.pub).toEqual({ allow: permissions.publish });
    expect(nats.sub).toEqual({ deny: ['>'] });
  });
});

describe('a creds file', () => {
  it('is parsed by the NATS clients, whatever its name contains', async () => {
    const jwt = await userJwt({
      publicKey: user.publicKey,
      name: '倉庫 🏭',
      issuer: signing,
      issuerAccount: identity.publicKey,
      issuedAt,
    });
    const creds = credsText(jwt, user.seed);
    const parsed = await parseCreds(new TextEncoder().encode(creds));
    expect(parsed).toMatchObject({ jwt, key: user.seed, aid: identity.publicKey });
    const response = credsAuthenticator(new TextEncoder().encode(creds))('nonce');
    const signature = fromSeed(new TextEncoder().encode(user.seed)).sign(new TextEncoder().encode('nonce'));
    expect(response).toMatchObject({
      jwt,
      nkey: user.publicKey,
      sig: Buffer.from(signature).toString('base64'),
    });
  });

  it('has the four marker lines that clients expect, and no other line of dashes', () => {
    const creds = credsText('JWT', 'SEED');
    expect(creds.split('\n').filter((line) => line.includes('--'))).toEqual([
      '-----BEGIN NATS USER JWT-----',
      '------END NATS USER JWT------',
      '-----BEGIN USER NKEY SEED-----',
      '------END USER NKEY SEED------',
    ]);
    expect(creds).toContain('-----BEGIN NATS USER JWT-----\nJWT\n------END NATS USER JWT------\n');
    expect(creds).toContain('-----BEGIN USER NKEY SEED-----\nSEED\n------END USER NKEY SEED------\n');
  });
});

function header(jwt: string): unknown {
  return JSON.parse(Buffer.from(jwt.split('.')[0] as string, 'base64url').toString());
}

// Verifies with the official library, which decodes names as Latin-1: decode the claims again, as UTF-8.
function verified<T>(jwt: string): ClaimsData<T> {
  decode(jwt);
  return JSON.parse(Buffer.from(jwt.split('.')[1] as string, 'base64url').toString()) as ClaimsData<T>;
}
