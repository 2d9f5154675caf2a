/**
 * The one life cycle of credentials, whatever the product: created with a secret that is shown once, updated, revoked.
 * Reading, updating and revoking have no rules beyond those of the statements (db/region/credentials.ts).
 */
import type { Done, Once } from '../../db/idempotency.ts';
import { type Credential, createCredential, type NotCreated } from '../../db/region/credentials.ts';
import { bytesFor, derivedBytes } from '../idempotency.ts';
import type { Work } from '../work.ts';
import { type CreateRequest, checksumOf, type Product } from './products.ts';

/**
 * Creates credentials. The secret is in the result and nowhere else. Fails with `no_parent` when the NATS account does
 * not exist or the product is not activated, in the projects of the request, with `full` when the account could not
 * revoke one more, with `quota` when the project has as many as it may, and with `done` when `once` was done before:
 * {@link secretAgain} then tells the secret.
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
 * The secret that these credentials were created with, made again from what is kept for a day. Null when the sealing key
 * that it was derived with is gone, or when what comes out is not what their checksum says.
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
