/**
 * Creates the key pairs of NATS credentials in this page. The API gets the public key and a proof, and the page puts the
 * private key into the `.creds` file, so the private key is in no request and no response.
 */
import { credsText } from '../../../../functions/nats/creds.ts';
import { createKey, importSeed } from '../../../../functions/nats/keys.ts';
import { prove } from '../../../../functions/nats/proof.ts';
import type { IssuedNatsCredentials } from '../../api/api.ts';
import type { Result } from '../../api/request.ts';

/** New NATS credentials with their `.creds` file. */
export type CreatedNatsCredentials = IssuedNatsCredentials & {
  /** Who created the private key, as a sentence. */
  keyOrigin: string;
};

/** The members of a request that bring a key. Without them, the server creates the pair. */
type BroughtKey = { user_public_key: string; proof: string } | Record<string, never>;

const BY_PAGE = 'This page created the private key. It was not sent anywhere.';
const BY_SERVER = {
  insecure: 'Latchkey created the private key and sent it, because this page is not served over HTTPS.',
  unsupported:
    'Latchkey created the private key and sent it, because this browser does not support Ed25519 keys.',
};

let last: { request: string; pair: ReturnType<typeof createPair> } | undefined;

/**
 * Sends a creation or rotation with a new key pair. `request` identifies the request: a retry sends the same public key.
 * `name` is the name of the credentials.
 */
export async function withUserKey(
  { request, accountId, name }: { request: string; accountId: string; name: string },
  send: (key: BroughtKey) => Promise<Result<IssuedNatsCredentials>>,
): Promise<Result<CreatedNatsCredentials>> {
  if (last?.request !== request) last = { request, pair: createPair() };
  const pair = await last.pair;
  if (typeof pair === 'string') return withOrigin(await send({}), BY_SERVER[pair]);
  const proof = await prove(await importSeed(pair.seed), accountId, name);
  const result = await send({ user_public_key: pair.publicKey, proof });
  if (!result.ok) return result;
  last = undefined;
  const content = credsText(result.body.credentials.content, pair.seed);
  const body = { ...result.body, credentials: { name: 'user.creds', content } };
  return withOrigin({ ...result, body }, BY_PAGE);
}

function withOrigin(
  result: Result<IssuedNatsCredentials>,
  keyOrigin: string,
): Result<CreatedNatsCredentials> {
  return result.ok ? { ...result, body: { ...result.body, keyOrigin } } : result;
}

/** Returns a new pair, or why this page cannot create one. */
async function createPair(): Promise<{ publicKey: string; seed: string } | keyof typeof BY_SERVER> {
  // Undefined on pages that are served over plain HTTP, except from localhost.
  if (!crypto.subtle) return 'insecure';
  return createKey('user').catch(() => 'unsupported' as const);
}
