/**
 * The creds of a new NATS user, as their creation issues them: the account's seed opened and read, a key made, the JWT
 * signed, the file written; the last three alone, with the signing key at hand; and one signature over as many bytes.
 */
import type { NatsAccount } from '../../../db/region/accounts.ts';
import { randomBytes, seal } from '../../../functions/credentials/secrets.ts';
import { issueCreds } from '../../../functions/nats/accounts.ts';
import { credsText } from '../../../functions/nats/creds.ts';
import { userJwt } from '../../../functions/nats/jwt.ts';
import { createKey, importSeed } from '../../../functions/nats/keys.ts';
import type { Work } from '../../../functions/work.ts';
import { serveLoops } from './loops.ts';

const REGION = 'fr-par';

export default serveLoops(async () => {
  const [{ publicKey: id }, { seed }] = await Promise.all([createKey('account'), createKey('account')]);
  const sealingKeys = [{ id: 'only', key: btoa('0123456789'.repeat(4).slice(0, 32)) }];
  const sealed = await seal(sealingKeys, { kind: 'nats_account', region: REGION, id }, seed);
  const account = { id, sealedSigningSeed: sealed.text, sealingKeyId: sealed.keyId } as NatsAccount;
  const work = { sealingKeys, region: { name: REGION }, change: { now: Date.now() } } as unknown as Work;
  const issuer = await importSeed(seed);
  const issuedAt = Math.floor(Date.now() / 1000);
  const make = async () => {
    const user = await createKey('user');
    const jwt = await userJwt({
      publicKey: user.publicKey,
      name: 'measured',
      issuer,
      issuerAccount: id,
      issuedAt,
    });
    return { jwt, content: credsText(jwt, user.seed) };
  };
  const { jwt } = await make();
  const signed = new TextEncoder().encode(jwt.slice(0, jwt.lastIndexOf('.')));
  return {
    issue: () =>
      issueCreds(work, account, { name: 'measured', createdAt: Date.now(), expiresAt: null }, randomBytes),
    make,
    sign: () => issuer.sign(signed),
  };
});
