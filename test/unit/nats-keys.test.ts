/**
 * The keys of functions/nats/keys.ts, cross-checked with the official nkeys library. test/e2e/nats-encoder.test.ts
 * tests them against a real server.
 */
import {
  createAccount,
  createOperator,
  createServer,
  createUser,
  fromPublic,
  fromSeed,
} from '@nats-io/nkeys';
import { describe, expect, it } from 'vitest';
import { createKey, importSeed, isPublicKey, type KeyKind } from '../../functions/nats/keys.ts';

const kinds: { kind: KeyKind; letter: string; create: () => ReturnType<typeof createUser> }[] = [
  { kind: 'operator', letter: 'O', create: createOperator },
  { kind: 'account', letter: 'A', create: createAccount },
  { kind: 'user', letter: 'U', create: createUser },
];
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe.each(kinds)('a key of kind $kind', ({ kind, letter, create }) => {
  it('is parsed by the nkeys library, which derives the same public key', async () => {
    for (let round = 0; round < 50; round++) {
      const { publicKey, seed } = await createKey(kind);
      expect(publicKey).toMatch(new RegExp(`^${letter}[A-Z2-7]{55}$`));
      expect(seed).toMatch(new RegExp(`^S${letter}[A-Z2-7]{56}$`));
      expect(fromSeed(bytes(seed)).getPublicKey()).toBe(publicKey);
    }
  });

  it('created by the nkeys library can be imported and creates the same signatures', async () => {
    const theirs = create();
    const ours = await importSeed(text(theirs.getSeed()));
    expect(ours.publicKey).toBe(theirs.getPublicKey());
    for (const message of ['', 'nonce', '東京 🗝️']) {
      const signature = await ours.sign(bytes(message));
      expect(signature).toEqual(theirs.sign(bytes(message)));
      expect(fromPublic(ours.publicKey).verify(bytes(message), signature)).toBe(true);
    }
  });

  it('has a public key that is recognized as its kind only', () => {
    const publicKey = create().getPublicKey();
    for (const { kind: other } of kinds) expect(isPublicKey(other, publicKey)).toBe(other === kind);
  });
});

describe('isPublicKey', () => {
  const good = createUser().getPublicKey();
  it.each([
    ['nothing', ''],
    ['a seed', text(createUser().getSeed())],
    ['a key of a server', createServer().getPublicKey()],
    ['a truncated key', good.slice(0, -1)],
    ['a key with one extra character', `${good}A`],
    ['a key with a changed character', swap(good, 20)],
    ['a lowercase key', good.toLowerCase()],
    ['a key with a newline', `${good}\n`],
    ['padding', `${good.slice(0, -1)}=`],
    ['a non-ASCII character', `${good.slice(0, -1)}é`],
  ])('rejects %s', (_, candidate) => {
    expect(isPublicKey('user', candidate)).toBe(false);
  });
});

describe('importSeed', () => {
  const seed = text(createAccount().getSeed());
  it.each([
    ['nothing', '', /too short/],
    ['a changed character', swap(seed, 30), /checksum/],
    ['a changed checksum', swap(seed, 55), /checksum/],
    ['a truncated seed', seed.slice(0, -1), /truncated|too short|checksum/],
    ['half a seed', seed.slice(0, 30), /truncated or not base32|too short/],
    ['an extra character', `${seed}A`, /truncated|checksum/],
    ['lowercase', seed.toLowerCase(), /not base32/],
    ['a trailing newline', `${seed}\n`, /not base32/],
    ['a public key', createAccount().getPublicKey(), /prefix/],
    ['a server’s seed', text(createServer().getSeed()), /prefix/],
    ['a different encoding of the same bytes', reencode(seed), /truncated/],
  ])('rejects %s, with an error that contains no part of it', async (_, candidate, reason) => {
    const error = await importSeed(candidate).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(Error);
    const shown = [String(error), (error as Error).stack, JSON.stringify(error)].join('\n');
    expect(shown).toMatch(/^Error: Not an nkey seed: /);
    expect(shown).toMatch(reason);
    // Six consecutive characters would leak thirty bits of a secret.
    for (let at = 0; at + 6 <= candidate.length; at++)
      expect(shown).not.toContain(candidate.slice(at, at + 6));
  });
});

function swap(key: string, at: number): string {
  return key.slice(0, at) + (key[at] === 'B' ? 'C' : 'B') + key.slice(at + 1);
}

// The last character of a seed has two unused bits: set one of them.
function reencode(seed: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return seed.slice(0, -1) + alphabet[alphabet.indexOf(seed.slice(-1)) | 1];
}
