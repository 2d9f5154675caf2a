/**
 * Defines the differences between the products: how a secret is created, what credentials belong to, and the API's
 * format. The life cycle is shared (lifecycle.ts).
 */
import type * as z from 'zod';
import type { AccessKeyProductId, ProductId } from '../../db/products.ts';
import { getAccount } from '../../db/region/accounts.ts';
import type { Credential, Rotation } from '../../db/region/credentials.ts';
import { issueCreds } from '../nats/accounts.ts';
import { hasSeed } from '../nats/creds.ts';
import { roleOf } from '../nats/roles.ts';
import { newAccessKey, newSecretKey } from '../shared/access-keys.ts';
import { digestHex, type RandomBytes } from '../shared/bytes.ts';
import { ApiError, invalidArgument } from '../shared/errors.ts';
import { apiTime, apiTimeOrNull } from '../shared/http.ts';
import { toApiPermissions } from '../shared/permissions.ts';
import { PRODUCT_LABELS } from '../shared/products.ts';
import { type Sealed, seal } from '../shared/sealing.ts';
import type { WriteContext } from '../shared/write-context.ts';
import type { accessKeyCredentials, issuedNatsCredentials, natsCredentials } from './schemas.ts';

export type { ProductId };

/** A key of the caller, who keeps the private half. Null without one. */
export interface CallerKey {
  /** The public key of a NATS user. */
  publicKey: string | null;
  /** The signature that proves that the caller has the private key. */
  proof: string | null;
}

/** What the secret of credentials depends on. */
export interface IssueRequest {
  name: string;
  /** The NATS account, or null for other products. */
  natsAccountId: string | null;
  /** A role of the NATS account, or null for full access. */
  natsRoleId: string | null;
  /** The project, or every project in which the NATS account can be. */
  projectIds: readonly string[];
  /** Milliseconds since the epoch; null for never, or for the setting's default. */
  expiresAt: number | null;
  /** As in {@link CallerKey}; if null, a key is created. */
  publicKey: string | null;
}

/** A request to create credentials. */
export interface CreateRequest extends IssueRequest, CallerKey {
  /** The permission bits, or null if the product has none. */
  permissions: number | null;
  description: string;
  tags: readonly string[];
  /** Patterns of queues and topics; null for all. */
  resources: readonly string[] | null;
  /** CIDR blocks; null for anywhere. */
  sourceIps: readonly string[] | null;
  createdBy: { type: 'user' | 'application'; id: string; name: string };
}

/** A new secret, returned to the caller once, and the parts of it that the row stores. */
export interface IssuedSecret {
  key: string;
  secret: string;
  sealed: Sealed | null;
  /** Expiry in milliseconds since the epoch; null for none. */
  expiresAt: number | null;
}

/**
 * A product: its data and the functions that differ. `Read` is a row's wire format, `Made` the response to its
 * creation.
 */
export interface Product<Read = unknown, Made = unknown> {
  id: ProductId;
  /** Label shown to people. */
  label: string;
  /** Creates the secret of the credentials with this id. Resolves to null if the parent does not exist. */
  issue(
    context: WriteContext,
    id: string,
    request: IssueRequest,
    random: RandomBytes,
  ): Promise<IssuedSecret | null>;
  /**
   * Derives again the secret that `issue` created from the same bytes and public key. Resolves to null if the parent is
   * gone.
   */
  reissue(
    context: WriteContext,
    credential: Credential,
    publicKey: string | null,
    random: RandomBytes,
  ): Promise<string | null>;
  /** The error when the parent does not exist. */
  parentMissing(request: CreateRequest): ApiError;
  /** Returns a row's wire format without the secret. */
  present(credential: Credential, region: string): Read;
  /** Adds the secret, for the only response that contains it. */
  presentWithSecret(wire: Read, secret: string): Made;
}

const presentCommon = (credential: Credential, region: string) => ({
  id: credential.id,
  name: credential.name,
  region,
  created_at: apiTime(credential.createdAt),
  updated_at: apiTime(credential.updatedAt),
  last_used_at: apiTimeOrNull(credential.lastUsedAt),
  expires_at: apiTimeOrNull(credential.expiresAt),
  status: statusOf(credential, Date.now()),
  description: credential.description,
  tags: JSON.parse(credential.tags) as string[],
  created_by:
    credential.createdByType === null
      ? null
      : {
          type: credential.createdByType,
          id: credential.createdById ?? '',
          name: credential.createdByName ?? '',
        },
  disabled_at: apiTimeOrNull(credential.disabledAt),
  disabled_reason: credential.disabledReason,
  revoke_at: apiTimeOrNull(credential.revokeAt),
});

/** Returns the API's rotation, without the previous key; null if none is in progress. */
function presentRotation({ rotation: json }: Credential) {
  if (json === null) return null;
  const { previousKey, startedAt, firstUsedAt, previousLastUsedAt, endsAt } = JSON.parse(json) as Rotation;
  const times = {
    started_at: apiTime(startedAt),
    first_used_at: apiTimeOrNull(firstUsedAt),
    previous_last_used_at: apiTimeOrNull(previousLastUsedAt),
    previous_ends_at: apiTimeOrNull(endsAt),
  };
  return { previousKey, times };
}

const listOrNull = (json: string | null) => (json === null ? null : (JSON.parse(json) as string[]));

/** Returns the status at a time in milliseconds since the epoch. */
export function statusOf(
  { expiresAt, disabledAt }: Credential,
  now: number,
): z.infer<typeof accessKeyCredentials>['status'] {
  if (expiresAt !== null && expiresAt <= now) return 'expired';
  return disabledAt === null ? 'enabled' : 'disabled';
}

/** NATS: user credentials of an account, with full access to it. */
export const nats: Product<z.infer<typeof natsCredentials>, z.infer<typeof issuedNatsCredentials>> & {
  id: 'nats';
} = {
  id: 'nats',
  label: PRODUCT_LABELS.nats,
  async issue(context, _id, request, random) {
    const { natsAccountId, natsRoleId, projectIds, name, expiresAt: requested, publicKey } = request;
    const account = natsAccountId && (await getAccount(context.regionDb, { id: natsAccountId, projectIds }));
    if (!account) return null;
    const role = await roleOf(context, account, natsRoleId);
    const expiresAt = natsExpiry(context, requested);
    const user = { name, createdAt: context.audit.now, expiresAt, publicKey };
    const { key, content } = await issueCreds(context, account, role, user, random);
    return { key, secret: content, sealed: null, expiresAt };
  },
  async reissue(context, credential, publicKey, random) {
    const ref = { id: credential.natsAccountId ?? '', projectIds: [credential.projectId] };
    const account = await getAccount(context.regionDb, ref);
    const { name, createdAt, keyIssuedAt, expiresAt } = credential;
    const user = { name, createdAt: keyIssuedAt ?? createdAt, expiresAt, publicKey };
    if (!account) return null;
    const role = await roleOf(context, account, credential.natsRoleId);
    return (await issueCreds(context, account, role, user, random)).content;
  },
  parentMissing: ({ natsAccountId }) =>
    new ApiError('not_found', { resource: 'namespace', resource_id: natsAccountId ?? '' }),
  present: (credential, region) => {
    const rotation = presentRotation(credential);
    return {
      ...presentCommon(credential, region),
      rotation: rotation && { previous_public_key: rotation.previousKey, ...rotation.times },
      nats_account_id: credential.natsAccountId ?? '',
      nats_role_id: credential.natsRoleId,
      public_key: credential.key,
      checksum: credential.checksum,
      credentials: null,
    };
  },
  presentWithSecret: (wire, content) => ({
    ...wire,
    credentials: { name: hasSeed(content) ? 'user.creds' : 'user.jwt', content },
  }),
};

/**
 * Returns when a user JWT created now expires, in milliseconds since the epoch: whole seconds, because JWTs have no
 * others. Throws 400 if the request exceeds the setting.
 */
function natsExpiry({ nats, audit }: WriteContext, requested: number | null): number | null {
  const seconds = nats.user_expiry_seconds;
  const latest = seconds === 0 ? null : (Math.floor(audit.now / 1000) + seconds) * 1000;
  if (requested === null) return latest;
  if (latest !== null && requested > latest)
    throw invalidArgument('expires_at', 'constraint', `must be within ${seconds} seconds from now`);
  return Math.floor(requested / 1000) * 1000;
}

type AccessKeyCredentials = z.infer<typeof accessKeyCredentials>;

/** A product whose credentials are an access key and a secret key. */
export interface AccessKeyProduct<Id extends AccessKeyProductId>
  extends Product<AccessKeyCredentials, AccessKeyCredentials> {
  id: Id;
  /** The activation's resource name in errors. */
  namespace: string;
}

/** Activation → its resource name in errors. */
const NAMESPACES = {
  sqs: 'MnqSQSNamespace',
  sns: 'MnqSNSNamespace',
} as const satisfies Record<AccessKeyProductId, string>;

function accessKeyProduct<Id extends AccessKeyProductId>(id: Id): AccessKeyProduct<Id> {
  const label = PRODUCT_LABELS[id];
  return {
    id,
    label,
    namespace: NAMESPACES[id],
    async issue(context, credentialId, { expiresAt }, random) {
      const secret = newSecretKey(random);
      const sealedFor = { kind: 'credential', region: context.region.name, id: credentialId } as const;
      const sealed = await seal(context.sealingKeys, sealedFor, secret);
      return { key: newAccessKey(context.accessKeyCheck), secret, sealed, expiresAt };
    },
    reissue: async (_context, _credential, _publicKey, random) => newSecretKey(random),
    parentMissing: () =>
      new ApiError('precondition_failed', {
        precondition: 'attribute_must_be_set',
        help_message: `${label} is not activated for this project in this region: activate it first`,
      }),
    present: (credential, region) => {
      const rotation = presentRotation(credential);
      return {
        ...presentCommon(credential, region),
        rotation: rotation && { previous_access_key: rotation.previousKey, ...rotation.times },
        project_id: credential.projectId,
        access_key: credential.key,
        secret_key: '',
        secret_checksum: credential.checksum,
        permissions: toApiPermissions(credential.permissions ?? 0),
        resources: listOrNull(credential.resources),
        source_ips: listOrNull(credential.sourceIps),
      };
    },
    presentWithSecret: (wire, secret) => ({ ...wire, secret_key: secret }),
  };
}

export const queues = accessKeyProduct('sqs');

export const topicsAndEvents = accessKeyProduct('sns');

/** Every product by id. */
export const PRODUCTS = {
  nats,
  sqs: queues,
  sns: topicsAndEvents,
} as const satisfies { [Id in ProductId]: Product & { id: Id } };

/** Returns a secret's checksum as the API defines it: SHA-1 in hex. */
export const secretSha1 = (secret: string): Promise<string> => digestHex('SHA-1', secret);
