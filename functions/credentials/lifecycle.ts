/**
 * Creates the credentials of every product, with a secret that is returned once. Reading, updating and revoking need
 * no rules beyond the statements in db/region/credentials.ts.
 */
import type { Done, Once } from '../../db/idempotency.ts';
import { type Credential, createCredential, type NotCreated } from '../../db/region/credentials.ts';
import { bytesFor, derivedBytes } from '../shared/idempotency.ts';
import type { Work } from '../shared/write-context.ts';
import { type CreateRequest, checksumOf, type Product } from './products.ts';

/**
 * Creates credentials. The result is the only place where the secret exists in plain text. Fails with:
 *
 * - `no_parent`: the NATS account does not exist, or the product is not activated, in the request's projects
 * - `full`: the account could not revoke one more credential
 * - `quota`: the project has reached its quota
 * - `done`: `once` was done before, and {@link secretAgain} returns the secret
 */
export async function createCredentials(
  work: Work,
  product: Product,
  request: CreateRequest,
  once: Once | null,
): Promise<{ ok: true; credential: Credential; secret: string } | NotCreated> {
  const id = crypto.randomUUID();
  const random = await bytesFor(work.sealingKeys, once, product.id);
  const issued = await product.issue(work, id, request, random);
  if (!issued) return { ok: false, reason: 'no_parent' };
  const created = await createCredential(
    work.store,
    work.change,
    {
      id,
      product: product.id,
      natsAccountId: request.natsAccountId,
      name: request.name,
      key: issued.key,
      sealedSecret: issued.sealed?.text ?? null,
      sealingKeyId: issued.sealed?.keyId ?? null,
      checksum: await checksumOf(issued.secret),
      permissions: request.permissions,
      createdAt: work.change.now,
      expiresAt: issued.expiresAt,
    },
    {
      projectIds: request.projectIds,
      maxRevocations: work.nats.max_revocations,
      most: work.quotas.credentials,
      once,
    },
  );
  return created.ok ? { ok: true, credential: created.row, secret: issued.secret } : created;
}

/**
 * Derives again the secret that these credentials were created with, from the salt that is stored for a day. Returns
 * null if the sealing key is gone or the result does not match the stored checksum.
 */
export async function secretAgain(
  work: Work,
  product: Product,
  credential: Credential,
  done: Done,
): Promise<string | null> {
  const random = await derivedBytes(work.sealingKeys, done, product.id);
  const secret = random && (await product.reissue(work, credential, random));
  return secret !== null && (await checksumOf(secret)) === credential.checksum ? secret : null;
}
