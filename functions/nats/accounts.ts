/**
 * NATS accounts and the creds of their users: which keys are made, what is sealed, what is signed. The account's
 * identity seed is discarded at its creation; its signing seed is sealed; a user's seed is in the creds alone.
 */
import {
  type AccountState,
  createAccount as insertAccount,
  type NatsAccount,
} from '../../db/region/accounts.ts';
import { open, type Sealed, seal } from '../credentials/secrets.ts';
import type { Work } from '../work.ts';
import { credsText } from './creds.ts';
import { accountJwt, systemAccountJwt, userJwt } from './jwt.ts';
import { createKey, importSeed, type SigningKey } from './keys.ts';

const sealedFor = (region: string, id: string) => ({ kind: 'nats_account', region, id }) as const;

/** Creates a NATS account in a project. */
export async function createAccount(
  work: Work,
  input: { name: string; projectId: string; organizationId: string },
): Promise<NatsAccount> {
  const [identity, signing] = await Promise.all([createKey('account'), createKey('account')]);
  const sealed = await seal(work.sealingKeys, sealedFor(work.region.name, identity.publicKey), signing.seed);
  return insertAccount(work.store, work.change, {
    ...input,
    id: identity.publicKey,
    signingKey: signing.publicKey,
    sealedSigningSeed: sealed.text,
    sealingKeyId: sealed.keyId,
  });
}

/** Issues creds of a new user of the account. `key` is the user's public key, `content` the text of the file. */
export async function issueCreds(
  work: Work,
  account: NatsAccount,
  name: string,
): Promise<{ key: string; content: string }> {
  const sealed: Sealed = { keyId: account.sealingKeyId, text: account.sealedSigningSeed };
  const [user, issuer] = await Promise.all([
    createKey('user'),
    open(work.sealingKeys, sealedFor(work.region.name, account.id), sealed).then(importSeed),
  ]);
  const jwt = await userJwt({
    publicKey: user.publicKey,
    name,
    issuer,
    issuerAccount: account.id,
    issuedAt: Math.floor(work.change.now / 1000),
  });
  return { key: user.publicKey, content: credsText(jwt, user.seed) };
}

/** The account JWT that its rows amount to. Equal rows give an equal JWT. */
export function composeAccountJwt(
  operator: SigningKey,
  { account, revocations }: AccountState,
): Promise<string> {
  return accountJwt({
    id: account.id,
    issuer: operator,
    signingKeys: [account.signingKey],
    issuedAt: account.issuedAt,
    revocations,
  });
}

/** The JWT of a region's system account, derived from its seed. It never changes while the seeds do not. */
export async function composeSystemAccountJwt(operator: SigningKey, systemSeed: string): Promise<string> {
  const { publicKey } = await importSeed(systemSeed);
  return systemAccountJwt({ id: publicKey, issuer: operator, issuedAt: 0 });
}
