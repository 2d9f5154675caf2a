/**
 * Public keys that callers create for NATS users: hostile keys are rejected, and proofs are verified. The points come
 * from the curve's equation, not from a list.
 */
import { createAccount, createUser } from '@nats-io/nkeys';
import { describe, expect, it } from 'vitest';
import { base64url, importSeed } from '../../functions/nats/keys.ts';
import { isProven, prove } from '../../functions/nats/proof.ts';
import { proof, userPublicKey } from '../../functions/nats/user-keys.ts';
import { encodeUserKey, P, smallOrderPoints } from './ed25519-points.ts';

const SIGN_BIT = 1n << 255n;
const { ys, encodings } = smallOrderPoints();

const problemOf = (key: string) => userPublicKey.safeParse(key).error?.issues[0]?.message;

describe('a public key', () => {
  it('of an ordinary pair is accepted', () => {
    for (let round = 0; round < 200; round++) expect(problemOf(createUser().getPublicKey())).toBeUndefined();
  });

  it('that is a point of small order is rejected in every encoding', () => {
    // One point each of order 1 and 2, two of order 4 and four of order 8. y and y + p have the same value.
    expect([encodings.length, ys.length]).toEqual([8, 5]);
    const all = new Set(
      ys.flatMap((y) =>
        [y, y + P].filter((value) => value < SIGN_BIT).flatMap((value) => [value, value | SIGN_BIT]),
      ),
    );
    for (const encoding of encodings) expect(all).toContain(encoding);
    expect(all.size).toBe(14);
    for (const encoding of all) expect(problemOf(encodeUserKey(encoding))).toMatch(/small order/);
  });

  it('that is not encoded canonically is rejected', () => {
    for (let y = P; y < SIGN_BIT; y++) {
      for (const encoding of [y, y | SIGN_BIT])
        expect(problemOf(encodeUserKey(encoding))).toMatch(/small order|RFC 8032/);
    }
    for (const y of [2n, P - 2n, P - 19n]) expect(problemOf(encodeUserKey(y))).toBeUndefined();
  });

  it.each([
    ['a seed', new TextDecoder().decode(createUser().getSeed()), /must be the public key of a NATS user/],
    ['a key of an account', createAccount().getPublicKey(), /must be the public key of a NATS user/],
    [
      'a key with the prefix of a user and the checksum of an account',
      `U${createAccount().getPublicKey().slice(1)}`,
      /checksum/,
    ],
    ['a key with a changed character', change(createUser().getPublicKey()), /checksum/],
    [
      'a key in lower case',
      createUser().getPublicKey().toLowerCase(),
      /must be the public key of a NATS user/,
    ],
    ['a key with a line break', `${createUser().getPublicKey()}\n`, /must be the public key of a NATS user/],
  ])('is rejected if it is %s', (_, key, problem) => {
    expect(problemOf(key)).toMatch(problem);
  });
});

describe('a proof', () => {
  const user = createUser();
  const account = createAccount().getPublicKey();
  const key = user.getPublicKey();
  const sign = (text: string, by = user) => base64url(by.sign(new TextEncoder().encode(text)));

  it('is the signature over the account and the name', async () => {
    for (const name of ['orders', '東京 🗝️', 'a'.repeat(500)]) {
      expect(await isProven(key, sign(account + name), account, name)).toBe(true);
      const ours = await importSeed(new TextDecoder().decode(user.getSeed()));
      expect(await prove(ours, account, name)).toBe(sign(account + name));
    }
  });

  it('is rejected for another key, account or name', async () => {
    const good = sign(`${account}orders`);
    const other = createAccount().getPublicKey();
    expect(await isProven(createUser().getPublicKey(), good, account, 'orders')).toBe(false);
    expect(await isProven(key, good, other, 'orders')).toBe(false);
    expect(await isProven(key, good, account, 'order')).toBe(false);
    expect(await isProven(key, sign('orders'), account, 'orders')).toBe(false);
    expect(await isProven(key, sign(`orders${account}`), account, 'orders')).toBe(false);
  });

  it('is rejected if a signature of the same text was altered', async () => {
    const signature = user.sign(new TextEncoder().encode(`${account}orders`));
    for (const at of [0, 31, 32, 63]) {
      const altered = signature.with(at, (signature[at] ?? 0) ^ 1);
      expect(await isProven(key, base64url(altered), account, 'orders')).toBe(false);
    }
  });

  it('is rejected for bytes that are no point of the curve', async () => {
    // y = 2 has no x.
    expect(await isProven(encodeUserKey(2n), sign(account), account, '')).toBe(false);
  });

  it.each([
    ['empty', ''],
    ['padded', `${'A'.repeat(86)}==`],
    ['too short', 'A'.repeat(85)],
    ['too long', 'A'.repeat(87)],
    ['in base64', `${'A'.repeat(84)}+A`],
    ['with unused bits', `${'A'.repeat(85)}B`],
    ['in hexadecimal', 'a'.repeat(128)],
  ])('is rejected if it is %s', (_, text) => {
    expect(proof.safeParse(text).error?.issues[0]?.message).toMatch(/64 bytes/);
  });
});

function change(key: string): string {
  return key.slice(0, 20) + (key[20] === 'B' ? 'C' : 'B') + key.slice(21);
}
