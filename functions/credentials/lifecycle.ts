/**
 * The one life cycle of credentials, whatever the product: created with a secret that is shown once, updated, revoked.
 * Reading, updating and revoking have no rules beyond those of the statements (db/region/credentials.ts).
 */
import { type Credential, createCredential } from '../../db/region/credentials.ts';
import type { Work } from '../work.ts';
import { type CreateRequest, checksumOf, type Product } from './products.ts';

/**
 * Creates credentials. The secret is in the result and nowhere else. Fails with `no_parent` when the NATS account does
 * not exist or the product is not activated, in the projects of the request, and with `full` when the account could not
 * revoke one more.
 */
export async function createCredentials(
  work: Work,
  product: Product,
  request: CreateRequest,
): Promise<
  { ok: true; credential: Credential; secret: string } | { ok: false; reason: 'no_parent' | 'full' }
> {
  const id = crypto.randomUUID();
  const issued = await product.issue(work, id, request);
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
    { projectIds: request.projectIds, maxRevocations: work.nats.max_revocations },
  );
  return created.ok ? { ok: true, credential: created.row, secret: issued.secret } : created;
}
