/**
 * Creates the creds of a new NATS user as the API does: creates a key, signs the JWT, writes the file. Also for an
 * account whose sealed seed must be opened and imported first; as the baseline, one signature over as many bytes; and
 * only the WebCrypto calls that the first creds of an account require.
 */
import type { NatsAccount } from '../../../db/region/accounts.ts';
import { issueCreds } from '../../../functions/nats/accounts.ts';
import { createKey, importSeed } from '../../../functions/nats/keys.ts';
import { randomBytes } from '../../../functions/shared/bytes.ts';
import type { SealingKey } from '../../../functions/shared/env.ts';
import { seal } from '../../../functions/shared/sealing.ts';
import type { WriteContext } from '../../../functions/shared/write-context.ts';
import { serveLoops } from './loops.ts';

const REGION = 'fr-par';

/** Enough accounts that the cached keys of the first are evicted before their next turn. */
const ACCOUNTS = 2500;

export default serveLoops(async () => {
  const sealingKeys = [{ id: 'only', key: btoa('0123456789'.repeat(4).slice(0, 32)) }];
  const context = {
    sealingKeys,
    region: { name: REGION },
    change: { now: Date.now() },
  } as unknown as WriteContext;
  const { seed } = await createKey('account');
  const accounts = await Promise.all(Array.from({ length: ACCOUNTS }, () => newAccount(sealingKeys, seed)));
  const issue = (account = accounts[0] as NatsAccount) =>
    issueCreds(
      context,
      account,
      null,
      { name: 'measured', createdAt: Date.now(), expiresAt: null, publicKey: null },
      randomBytes,
    );
  const { content } = await issue();
  const [, signed = ''] = /^([\w-]+\.[\w-]+)\.[\w-]+$/m.exec(content) ?? [];
  const bytes = new TextEncoder().encode(signed);
  const issuer = await importSeed(seed);
  const bare = await bareFirst(bytes);
  let turn = 0;
  return {
    'bare first': bare,
    issue: () => issue(),
    'issue first': () => issue(accounts[turn++ % ACCOUNTS]),
    sign: () => issuer.sign(bytes),
  };
});

async function newAccount(sealingKeys: readonly SealingKey[], seed: string): Promise<NatsAccount> {
  const { publicKey: id } = await createKey('account');
  const sealed = await seal(sealingKeys, { kind: 'nats_account', region: REGION, id }, seed);
  return { id, sealedSigningSeed: sealed.text, sealingKeyId: sealed.keyId } as NatsAccount;
}

/** Returns the WebCrypto calls for the first creds of an account: decrypt, import the seed, create a user's key, sign. */
async function bareFirst(signed: Uint8Array<ArrayBuffer>): Promise<() => Promise<unknown>> {
  const algorithm = { name: 'AES-GCM', iv: new Uint8Array(12), additionalData: new Uint8Array(64) };
  const sealing = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ]);
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  const pkcs8 = (await crypto.subtle.exportKey('pkcs8', pair.privateKey)) as ArrayBuffer;
  const sealed = await crypto.subtle.encrypt(algorithm, sealing, new Uint8Array(58));
  const importPrivate = () => crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
  return async () => {
    await crypto.subtle.decrypt(algorithm, sealing, sealed);
    const issuer = await importPrivate();
    await crypto.subtle.exportKey('jwk', issuer);
    await crypto.subtle.exportKey('jwk', await importPrivate());
    return crypto.subtle.sign('Ed25519', issuer, signed);
  };
}
