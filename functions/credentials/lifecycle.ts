/**
 * Creates the credentials of every product, with a secret that is returned once. Reading, updating and revoking need
 * no rules beyond the statements in db/region/credentials.ts.
 */
import type { IdempotencyRecord, IdempotentRequest } from '../../db/idempotency.ts';
import { type CreationFailure, type Credential, createCredential } from '../../db/region/credentials.ts';
import { type RotationFailure, startRotation } from '../../db/region/rotations.ts';
import { derivedBytes, secretBytes } from '../shared/idempotency.ts';
import { latestExpiriesOf, type WriteContext } from '../shared/write-context.ts';
import { type CreateRequest, type Product, secretSha1 } from './products.ts';

/**
 * Creates credentials. The result is the only place where the secret exists in plain text. Fails with:
 *
 * - `no_parent`: the NATS account does not exist, or the product is not activated, in the request's projects
 * - `no_role`: the NATS account has no such role
 * - `expiry`: the organization does not allow their expiry
 * - `full`: the account could not revoke one more credential
 * - `quota`: the project has reached its quota
 * - `key_used`: credentials of the region have or had the caller's public key
 * - `replayed`: the idempotency key was used before, and {@link rederiveSecret} returns the secret
 */
export async function createCredentials(
  context: WriteContext,
  product: Product,
  request: CreateRequest,
  idempotency: IdempotentRequest | null,
): Promise<{ ok: true; credential: Credential; secret: string } | CreationFailure> {
  const id = crypto.randomUUID();
  const random = await secretBytes(context.sealingKeys, idempotency, product.id);
  const issued = await product.issue(context, id, request, random);
  if (!issued) return { ok: false, reason: 'no_parent' };
  const created = await createCredential(
    context.regionDb,
    context.audit,
    {
      id,
      product: product.id,
      natsAccountId: request.natsAccountId,
      natsRoleId: request.natsRoleId,
      name: request.name,
      key: issued.key,
      sealedSecret: issued.sealed?.text ?? null,
      sealingKeyId: issued.sealed?.keyId ?? null,
      checksum: await secretSha1(issued.secret),
      permissions: request.permissions,
      createdAt: context.audit.now,
      expiresAt: issued.expiresAt,
      description: request.description,
      tags: JSON.stringify(request.tags),
      resources: request.resources && JSON.stringify(request.resources),
      sourceIps: request.sourceIps && JSON.stringify(request.sourceIps),
      createdByType: request.createdBy.type,
      createdById: request.createdBy.id,
      createdByName: request.createdBy.name,
    },
    {
      keyFromCaller: request.publicKey !== null,
      projectIds: request.projectIds,
      maxRevocations: context.nats.max_revocations,
      quota: context.quotas.credentials,
      latest: latestExpiriesOf(context),
      idempotency,
    },
  );
  return created.ok ? { ok: true, credential: created.row, secret: issued.secret } : created;
}

/**
 * Gives credentials a new secret, which is returned once. `publicKey` is the caller's, or null. Fails like
 * {@link startRotation}; `replayed` as for {@link createCredentials}.
 */
export async function rotateCredentials(
  context: WriteContext,
  product: Product,
  { id, name, natsAccountId, natsRoleId, projectId, expiresAt }: Credential,
  publicKey: string | null,
  overlapSeconds: number,
  idempotency: IdempotentRequest | null,
): Promise<{ ok: true; credential: Credential; secret: string } | RotationFailure> {
  const random = await secretBytes(context.sealingKeys, idempotency, product.id);
  const request = { name, natsAccountId, natsRoleId, projectIds: [projectId], expiresAt, publicKey };
  const issued = await product.issue(context, id, request, random);
  if (!issued) return { ok: false, reason: 'not_found' };
  const rotated = await startRotation(
    context.regionDb,
    context.audit,
    { id, product: product.id, projectIds: [projectId] },
    {
      key: issued.key,
      sealedSecret: issued.sealed?.text ?? null,
      sealingKeyId: issued.sealed?.keyId ?? null,
      checksum: await secretSha1(issued.secret),
    },
    {
      keyFromCaller: publicKey !== null,
      overlapSeconds,
      maxRevocations: context.nats.max_revocations,
      latest: latestExpiriesOf(context),
      idempotency,
    },
  );
  return rotated.ok ? { ok: true, credential: rotated.row, secret: issued.secret } : rotated;
}

/**
 * Derives again the secret that these credentials were created with, from the salt that is stored for a day. `publicKey`
 * is the caller's, or null. Returns null if the sealing key is gone or the result does not match the stored checksum.
 */
export async function rederiveSecret(
  context: WriteContext,
  product: Product,
  credential: Credential,
  publicKey: string | null,
  done: IdempotencyRecord,
): Promise<string | null> {
  const random = await derivedBytes(context.sealingKeys, done, product.id);
  const secret = random && (await product.reissue(context, credential, publicKey, random));
  return secret !== null && (await secretSha1(secret)) === credential.checksum ? secret : null;
}
