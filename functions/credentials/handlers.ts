/**
 * Implements the credentials endpoints of all products: authorizes the caller, calls the life cycle and builds the
 * response. Paths and schemas are in routes.ts.
 */
import type { Context } from 'hono';
import type * as z from 'zod';
import type { IdempotentRequest } from '../../db/idempotency.ts';
import type { AccessKeyProductId } from '../../db/products.ts';
import { getAccount } from '../../db/region/accounts.ts';
import {
  type CreationFailure,
  type Credential,
  disableCredential,
  getCredential,
  listCredentials,
  type RevokedCredential,
  type Rotation,
  revokeCredential,
  updateCredential,
} from '../../db/region/credentials.ts';
import { endRotation, type RotationFailure } from '../../db/region/rotations.ts';
import {
  activateService,
  deactivateService,
  getService,
  type Service,
  type ServiceRef,
} from '../../db/region/services.ts';
import { cleanUp } from '../gateway/cleanup.ts';
import { newServicePrefix } from '../gateway/names.ts';
import { announceAndReport } from '../guard/announce.ts';
import {
  refusalOfChange,
  requireInProject,
  requireScope,
  writableProjects,
} from '../iam/access/require-access.ts';
import { isProven } from '../nats/proof.ts';
import { confirmRevision, listUserConnections, publishAndReport } from '../nats/publication.ts';
import { missingRole } from '../nats/roles.ts';
import { ApiError, invalidArgument } from '../shared/errors.ts';
import { type AppEnv, apiTime, pageOf } from '../shared/http.ts';
import { replayedResource, secretUnrecoverable } from '../shared/idempotency.ts';
import { changedBits } from '../shared/permissions.ts';
import {
  auditContextOf,
  latestExpiriesOf,
  type WriteContext,
  writeContextOf,
} from '../shared/write-context.ts';
import { createCredentials, rederiveSecret, rotateCredentials } from './lifecycle.ts';
import { type AccessKeyProduct, type CallerKey, type CreateRequest, nats, type Product } from './products.ts';
import {
  type disableBody,
  type issuedNatsCredentials,
  type listAccessKeyCredentialsQuery,
  type listNatsCredentialsQuery,
  type natsConnections,
  PERMISSION_RULE,
  type ServiceInfo,
  type updateAccessKeyCredentialsBody,
} from './schemas.ts';

type C = Context<AppEnv>;
/** A change's result, with the header that reports whether the change is in force. */
interface Enforced<Result> {
  result: Result;
  headers: Record<string, string>;
}
type LimitReached = Extract<CreationFailure, { current: number }>;

/** Creates credentials and returns them with their secret. On a retry, returns those that `once` created before. */
export async function create<Read, Made>(
  c: C,
  product: Product<Read, Made>,
  request: CreateRequest,
  idempotency: IdempotentRequest | null,
): Promise<Made> {
  await requireProof(request, request.natsAccountId, request.name);
  const context = writeContextOf(c);
  const created = await createCredentials(context, product, request, idempotency);
  const reveal = (credential: Credential, secret: string) =>
    product.presentWithSecret(product.present(credential, c.get('region').name), secret);
  if (created.ok) return reveal(created.credential, created.secret);
  if (created.reason === 'no_parent') throw await parentError(c, product, request);
  if (created.reason === 'no_role') throw missingRole(request.natsRoleId ?? '');
  if (created.reason === 'expiry')
    throw expiryError(context, created.organizationId, request.expiresAt === null);
  if (created.reason === 'key_used') throw keyUsed(request.publicKey);
  if (created.reason !== 'replayed') throw quotaError(context, created);
  const { projectIds } = request;
  const credential = await replayedResource(idempotency, created.record, missing, (id) =>
    getCredential(context.regionDb, { id, product: product.id, projectIds }),
  );
  const secret = await rederiveSecret(context, product, credential, request.publicKey, created.record);
  if (secret === null) throw secretUnrecoverable('credentials', credential.id);
  return reveal(credential, secret);
}

/**
 * The error when the credentials' NATS account or activation was not found where the caller can create credentials.
 */
function parentError(c: C, product: Product, request: CreateRequest): Promise<ApiError> | ApiError {
  const { natsAccountId } = request;
  const missing = product.parentMissing(request);
  if (natsAccountId === null) return missing;
  return refusalOfChange(c, product.id, missing, (projectIds) =>
    getAccount(c.get('regionDb'), { id: natsAccountId, projectIds }),
  );
}

/** The error when credentials of the region have or had the public key of the caller. */
const keyUsed = (publicKey: string | null) =>
  new ApiError('already_exists', {
    resource: 'user_public_key',
    resource_id: publicKey ?? '',
    help_message: 'this key belongs or belonged to credentials in this region: create a new key pair',
  });

/** Throws 400 if the caller did not prove that it has the private key of the public key, if it sent one. */
async function requireProof(
  { publicKey, proof }: CallerKey,
  account: string | null,
  name: string,
): Promise<void> {
  if (publicKey === null || (await isProven(publicKey, proof ?? '', account ?? '', name))) return;
  throw invalidArgument(
    'proof',
    'constraint',
    'must be the signature, by the private key of user_public_key, over the id of the NATS account followed by the name',
  );
}

/**
 * The error when an account's revocation list could not hold one more credential, or a project has reached its quota.
 */
function quotaError({ nats, quotas }: WriteContext, { reason, current, projectId }: LimitReached): ApiError {
  const limited =
    reason === 'full'
      ? { resource: 'nats_credentials and nats_revocations of the account', quota: nats.max_revocations }
      : { resource: 'credentials', quota: quotas.credentials };
  return new ApiError('quotas_exceeded', { details: [{ ...limited, current, project_id: projectId }] });
}

/** The error when an organization does not allow the expiry of credentials, or their absent one. */
function expiryError(
  { maxDurations }: WriteContext,
  organizationId: string,
  isAbsent: boolean,
  advice = '',
): ApiError {
  const seconds = maxDurations.get(organizationId) ?? 0;
  const days = seconds / 86_400;
  const inDays = days > 1 && Number.isInteger(days) ? ` (${days} days)` : '';
  const help = `must be within ${seconds} seconds${inDays} from now, the organization's max_credentials_duration`;
  return invalidArgument('expires_at', isAbsent ? 'required' : 'constraint', help + advice);
}

type ListQuery = z.infer<typeof listNatsCredentialsQuery> | z.infer<typeof listAccessKeyCredentialsQuery>;

/** Returns the filter of a list in the database's terms. Times are RFC 3339, or milliseconds since the epoch. */
export function filterOf(query: {
  name?: string | undefined;
  tags?: readonly string[] | undefined;
  status?: 'enabled' | 'disabled' | 'expired' | undefined;
  created_by?: string | undefined;
  expires_before?: string | number | undefined;
  last_used_before?: string | number | undefined;
  created_before?: string | number | undefined;
  nats_role_id?: string | undefined;
}) {
  const time = (value: string | number | undefined) =>
    typeof value === 'string' ? Date.parse(value) : value;
  return {
    now: Date.now(),
    name: query.name,
    tags: query.tags,
    status: query.status,
    createdById: query.created_by,
    expiresBefore: time(query.expires_before),
    lastUsedBefore: time(query.last_used_before),
    createdBefore: time(query.created_before),
    natsRoleId: query.nats_role_id,
  };
}

/** Returns a page of the credentials that the caller can read. */
export async function list<Read>(
  c: C,
  product: Product<Read>,
  query: ListQuery,
): Promise<{ total: number; items: Read[] }> {
  const { projectIds } = requireScope(c, { resource: product.id, action: 'read' }, query.project_id);
  const ofNats = 'nats_account_id' in query;
  const within = { projectIds, natsAccountId: ofNats ? query.nats_account_id : undefined };
  const key = 'access_key' in query ? query.access_key : 'public_key' in query ? query.public_key : undefined;
  const filter = { ...filterOf(query), key };
  const { total, rows } = await listCredentials(c.get('regionDb'), product.id, within, filter, pageOf(query));
  return { total, items: rows.map((row) => product.present(row, c.get('region').name)) };
}

const missing = (id: string) => new ApiError('not_found', { resource: 'credentials', resource_id: id });

/** The reference to credentials in the projects that the caller can write. */
const writable = (c: C, product: Product, id: string) => ({
  id,
  product: product.id,
  projectIds: writableProjects(c, product.id),
});

/** The error for a change to credentials that are not {@link writable}. */
const refusal = (c: C, product: Product, id: string) =>
  refusalOfChange(c, product.id, missing(id), (projectIds) =>
    getCredential(c.get('regionDb'), { id, product: product.id, projectIds }),
  );

/** Returns credentials by id, without their secret. Throws 404 if the caller cannot read them. */
export async function get<Read>(c: C, product: Product<Read>, id: string): Promise<Read> {
  return product.present(await getRow(c, product, id), c.get('region').name);
}

/** Returns the row of credentials. Throws 404 if the caller cannot read them. */
export async function getRow(c: C, product: Product, id: string): Promise<Credential> {
  const { projectIds } = requireScope(c, { resource: product.id, action: 'read' });
  const credential = await getCredential(c.get('regionDb'), { id, product: product.id, projectIds });
  if (!credential) throw missing(id);
  return credential;
}

/** Returns the current connections of NATS credentials. Throws 503 if the servers cannot be asked. */
export async function connections(c: C, id: string): Promise<z.infer<typeof natsConnections>> {
  const { natsAccountId, key } = await getRow(c, nats, id);
  try {
    const listed = await listUserConnections(c.get('config'), c.get('region'), natsAccountId ?? '', key);
    return {
      servers: listed.servers,
      servers_answered: listed.answered,
      truncated: listed.truncated,
      connections: listed.connections.map((one) => ({
        server: one.server,
        address: one.address,
        client: one.client,
        connected_at: one.connectedAt,
        last_activity_at: one.lastActivityAt,
      })),
    };
  } catch (error) {
    console.warn(
      JSON.stringify({ request_id: c.get('requestId'), reason: error instanceof Error && error.message }),
    );
    throw new ApiError('unavailable', { resource: c.get('region').name }, { 'Retry-After': '5' });
  }
}

export async function revoke(c: C, product: Product, id: string): Promise<RevokedCredential> {
  const revoked = await revokeCredential(c.get('regionDb'), auditContextOf(c), writable(c, product, id));
  if (!revoked) throw await refusal(c, product, id);
  return revoked;
}

/** Updates credentials. Also returns the header that reports whether the change is in force. */
export async function update<Read>(
  c: C,
  product: Product<Read>,
  id: string,
  body: z.infer<typeof updateAccessKeyCredentialsBody>,
): Promise<Enforced<Read>> {
  const context = writeContextOf(c);
  const change = {
    name: body.name ?? undefined,
    ...changedBits(body.permissions ?? {}),
    description: body.description === null ? '' : body.description,
    tags: body.tags === undefined ? undefined : JSON.stringify(body.tags ?? []),
    resources: body.resources && JSON.stringify(body.resources),
    sourceIps: body.source_ips && JSON.stringify(body.source_ips),
    expiresAt: body.expires_at === undefined ? undefined : timeOf(body.expires_at),
  };
  const ref = writable(c, product, id);
  const latest = latestExpiriesOf(context);
  const updated = await updateCredential(context.regionDb, context.audit, ref, change, latest);
  if (updated.ok) {
    const headers = await enforce(c, updated.row);
    return { result: product.present(updated.row, c.get('region').name), headers };
  }
  if (updated.reason === 'expiry')
    throw expiryError(context, updated.organizationId, change.expiresAt === null);
  throw updated.reason === 'not_found'
    ? await refusal(c, product, id)
    : invalidArgument('permissions', 'constraint', PERMISSION_RULE);
}

/** Returns the milliseconds since the epoch of a time in RFC 3339, or null. */
export function timeOf(text: string | null | undefined): number | null {
  return text ? Date.parse(text) : null;
}

/**
 * Disables credentials, or enables them if `body` is null. Also returns the header that reports whether the change is in
 * force.
 */
export async function disable<Read>(
  c: C,
  product: Product<Read>,
  id: string,
  body: z.infer<typeof disableBody> | null,
): Promise<Enforced<Read>> {
  const audit = auditContextOf(c);
  const after = body?.revoke_after_seconds;
  const disabling = body && {
    reason: body.reason || null,
    revokeAt: after ? audit.now + after * 1000 : null,
  };
  const row = await disableCredential(c.get('regionDb'), audit, writable(c, product, id), disabling);
  if (!row) throw await refusal(c, product, id);
  return { result: product.present(row, c.get('region').name), headers: await enforce(c, row) };
}

/**
 * Returns the header that reports whether every server knows the role of new credentials. Pushes the role if not: a server
 * that does not know its key rejects the credentials, which some clients do not try again.
 */
export async function enforceRole(
  c: C,
  { nats_account_id: id, nats_role_id: role }: z.infer<typeof issuedNatsCredentials>,
): Promise<Record<string, string>> {
  if (role === null) return {};
  const projectIds = writableProjects(c, nats.id);
  const account = await getAccount(c.get('regionDb'), { id, projectIds });
  return account ? confirmRevision(c.get('config'), c.get('region'), account) : {};
}

/**
 * Gives credentials a new secret and returns them with it; the previous one keeps working for a while. On a retry,
 * returns the secret that `idempotency` created before.
 */
export async function rotate<Read, Made>(
  c: C,
  product: Product<Read, Made>,
  id: string,
  { overlapSeconds, ...callerKey }: { overlapSeconds: number } & CallerKey,
  idempotency: IdempotentRequest | null,
): Promise<Enforced<Made>> {
  const context = writeContextOf(c);
  const ref = writable(c, product, id);
  const current = await getCredential(context.regionDb, ref);
  if (!current) throw await refusal(c, product, id);
  await requireProof(callerKey, current.natsAccountId, current.name);
  const { publicKey } = callerKey;
  const rotated = await rotateCredentials(context, product, current, publicKey, overlapSeconds, idempotency);
  const reveal = async (credential: Credential, secret: string) => {
    const wire = product.present(credential, c.get('region').name);
    // Servers accept a new NATS user as soon as its account signs it.
    const headers = credential.natsAccountId === null ? await enforce(c, credential) : {};
    return { result: product.presentWithSecret(wire, secret), headers };
  };
  if (rotated.ok) return reveal(rotated.credential, rotated.secret);
  if (rotated.reason !== 'replayed') {
    throw rotated.reason === 'key_used'
      ? keyUsed(publicKey)
      : rotationError(context, id, rotated.reason, current);
  }
  const credential = await replayedResource(idempotency, rotated.record, missing, () =>
    getCredential(context.regionDb, ref),
  );
  const secret = await rederiveSecret(context, product, credential, publicKey, rotated.record);
  if (secret === null) throw secretUnrecoverable('credentials', credential.id);
  return reveal(credential, secret);
}

function rotationError(
  context: WriteContext,
  id: string,
  reason: Exclude<RotationFailure['reason'], 'replayed' | 'key_used'>,
  { organizationId, projectId, natsAccountId, expiresAt }: Credential,
): ApiError {
  switch (reason) {
    case 'not_found':
      return missing(id);
    case 'rotating':
      return new ApiError('already_exists', {
        resource: 'rotation',
        resource_id: id,
        help_message: 'a rotation is in progress: finish or cancel it first',
      });
    case 'not_enabled':
      return new ApiError('precondition_failed', {
        precondition: 'unknown_precondition',
        help_message: 'the credentials are disabled or expired: enable them or move their expiry first',
      });
    case 'expiry': {
      const advice = natsAccountId === null ? ': change it first' : ': create new credentials instead';
      return expiryError(context, organizationId, expiresAt === null, advice);
    }
    case 'full': {
      const resource = 'nats_credentials and nats_revocations of the account';
      const quota = context.nats.max_revocations;
      return new ApiError('quotas_exceeded', {
        details: [{ resource, quota, current: quota, project_id: projectId }],
      });
    }
  }
}

/** Ends a rotation: its previous key, or the new one. Also returns the header that reports whether it is in force. */
export async function endRotationNow<Read>(
  c: C,
  product: Product<Read>,
  id: string,
  ended: 'previous' | 'new',
): Promise<Enforced<Read>> {
  const ref = writable(c, product, id);
  const done = await endRotation(c.get('regionDb'), auditContextOf(c), ref, ended);
  if (done) {
    const { row, endedKey } = done;
    const headers = await enforce(c, { ...row, key: endedKey }, [row.key]);
    return { result: product.present(row, c.get('region').name), headers };
  }
  if (!(await getCredential(c.get('regionDb'), ref))) throw await refusal(c, product, id);
  throw new ApiError('precondition_failed', {
    precondition: 'unknown_precondition',
    help_message: 'no rotation of these credentials is in progress',
  });
}

/** Brings a change of credentials into force, and returns the headers that report whether it is. */
export function enforce(
  c: C,
  { key, natsAccountId, rotation }: Pick<Credential, 'key' | 'natsAccountId' | 'rotation'>,
  otherKeys: readonly string[] = [],
): Promise<Record<string, string>> {
  if (natsAccountId === null) return announceAndReport(c, [...keysOf(key, rotation), ...otherKeys]);
  const request = { region: c.get('region').name, account: natsAccountId, user: key };
  return publishAndReport(c.get('config'), request);
}

/** Returns the keys of credentials: both while they are rotated. */
export function keysOf(key: string, rotation: string | null): string[] {
  return rotation === null ? [key] : [key, (JSON.parse(rotation) as Rotation).previousKey];
}

const missingService = (product: AccessKeyProduct<AccessKeyProductId>, projectId: string) =>
  new ApiError('not_found', { resource: product.namespace, resource_id: projectId });

/**
 * Returns the reference to a product's activation in a project, for a caller with this access. Throws like
 * {@link requireInProject}. Official clients depend on these codes: they retry a 403 for two minutes and treat a 404
 * as a deleted project.
 */
function serviceOf<P extends AccessKeyProductId>(
  c: C,
  product: AccessKeyProduct<P>,
  action: 'read' | 'write',
  projectId: string,
): ServiceRef {
  const missing = missingService(product, projectId);
  const scope = requireInProject(c, { resource: product.id, action }, projectId, missing);
  return { product: product.id, projectId, organizationId: scope.organizationOf(projectId) };
}

function presentService<P extends AccessKeyProductId>(
  c: C,
  product: AccessKeyProduct<P>,
  projectId: string,
  service: Service | null,
): ServiceInfo<P> {
  const enabled = service?.status === 'enabled' ? service : null;
  return {
    project_id: projectId,
    region: c.get('region').name,
    created_at: enabled && apiTime(enabled.createdAt),
    updated_at: enabled && apiTime(enabled.updatedAt),
    status: enabled ? 'enabled' : 'disabled',
    [`${product.id}_endpoint_url`]: new URL(c.req.url).origin,
  } as ServiceInfo<P>;
}

export async function activate<P extends AccessKeyProductId>(
  c: C,
  product: AccessKeyProduct<P>,
  projectId: string,
): Promise<Enforced<ServiceInfo<P>>> {
  const ref = serviceOf(c, product, 'write', projectId);
  for (;;) {
    const prefix = newServicePrefix(c.get('region').name);
    const activated = await activateService(c.get('regionDb'), auditContextOf(c), ref, prefix);
    if (activated.ok) {
      const headers = await announceAndReport(c, activated.accessKeys);
      return { result: presentService(c, product, projectId, activated.row), headers };
    }
    if (activated.reason === 'active') break;
  }
  throw new ApiError('already_exists', {
    resource: product.namespace,
    resource_id: projectId,
    help_message: `${product.label} is already active for this project in this region`,
  });
}

/** How long a deactivation cleans up before it responds, in milliseconds. The schedule does the rest. */
const CLEANUP_MS = 5000;

/** Deactivates the product for a project: revokes its credentials and deletes its resources on the engine. */
export async function deactivate<P extends AccessKeyProductId>(
  c: C,
  product: AccessKeyProduct<P>,
  projectId: string,
): Promise<Enforced<ServiceInfo<P>>> {
  const ref = serviceOf(c, product, 'write', projectId);
  const deactivated = await deactivateService(c.get('regionDb'), auditContextOf(c), ref);
  const headers = await announceAndReport(c, deactivated?.accessKeys ?? []);
  if (!deactivated || deactivated.leftovers) {
    await cleanUp(c.get('region'), { projectId, product: product.id }, Date.now() + CLEANUP_MS);
  }
  if (deactivated) return { result: presentService(c, product, projectId, deactivated.row), headers };
  throw missingService(product, projectId);
}

/** Returns whether the product is active for a project. */
export async function info<P extends AccessKeyProductId>(
  c: C,
  product: AccessKeyProduct<P>,
  projectId: string,
): Promise<ServiceInfo<P>> {
  const ref = serviceOf(c, product, 'read', projectId);
  return presentService(c, product, projectId, await getService(c.get('regionDb'), ref));
}
