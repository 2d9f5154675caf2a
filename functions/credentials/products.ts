/**
 * Defines the differences between the three products: how a secret is created, what credentials belong to, and the
 * wire format. The life cycle is shared (lifecycle.ts).
 */
import type * as z from 'zod';
import { getAccount } from '../../db/region/accounts.ts';
import type { Credential } from '../../db/region/credentials.ts';
import { issueCreds } from '../nats/accounts.ts';
import { newAccessKey, newSecretKey } from '../shared/access-keys.ts';
import { digestHex, type RandomBytes } from '../shared/bytes.ts';
import { ApiError } from '../shared/errors.ts';
import { wireTime, wireTimeOrNull } from '../shared/http.ts';
import { toWirePermissions } from '../shared/permissions.ts';
import { type Sealed, seal } from '../shared/sealing.ts';
import type { Work } from '../shared/write-context.ts';
import type { issuedNatsCredentials, keyedCredentials, natsCredentials } from './schemas.ts';

/** A request to create credentials. */
export interface CreateRequest {
  name: string;
  /** The NATS account, or null for other products. */
  natsAccountId: string | null;
  /** The permission bits, or null if the product has none. */
  permissions: number | null;
  /** The project, or every project in which the NATS account can be. */
  projectIds: readonly string[];
}

/** A new secret, returned to the caller once, and the parts of it that the row stores. */
export interface Issued {
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
  id: 'nats' | 'sqs' | 'sns';
  /** Label shown to people. */
  label: string;
  /** Format of the public key of its credentials. */
  key: RegExp;
  /** Creates the secret of the credentials with this id. Resolves to null if the parent does not exist. */
  issue(work: Work, id: string, request: CreateRequest, random: RandomBytes): Promise<Issued | null>;
  /** Derives again the secret that `issue` created from the same bytes. Resolves to null if the parent is gone. */
  reissue(work: Work, credential: Credential, random: RandomBytes): Promise<string | null>;
  /** The error when the parent does not exist. */
  parentMissing(request: CreateRequest): ApiError;
  /** Returns a row's wire format without the secret. */
  present(credential: Credential, region: string): Read;
  /** Adds the secret, for the only response that contains it. */
  reveal(wire: Read, secret: string): Made;
}

const presentCommon = (credential: Credential, region: string) => ({
  id: credential.id,
  name: credential.name,
  region,
  created_at: wireTime(credential.createdAt),
  updated_at: wireTime(credential.updatedAt),
  last_used_at: wireTimeOrNull(credential.lastUsedAt),
});

/** NATS: user credentials of an account, with full access to it. */
export const nats: Product<z.infer<typeof natsCredentials>, z.infer<typeof issuedNatsCredentials>> = {
  id: 'nats',
  label: 'NATS',
  key: /^U[A-Z2-7]{55}$/,
  async issue(work, _id, { natsAccountId, projectIds, name }, random) {
    const account = natsAccountId && (await getAccount(work.store, { id: natsAccountId, projectIds }));
    if (!account) return null;
    const life = work.nats.user_expiry_seconds;
    const expiresAt = life === 0 ? null : (Math.floor(work.change.now / 1000) + life) * 1000;
    const user = { name, createdAt: work.change.now, expiresAt };
    const { key, content } = await issueCreds(work, account, user, random);
    return { key, secret: content, sealed: null, expiresAt };
  },
  async reissue(work, credential, random) {
    const ref = { id: credential.natsAccountId ?? '', projectIds: [credential.projectId] };
    const account = await getAccount(work.store, ref);
    return account && (await issueCreds(work, account, credential, random)).content;
  },
  parentMissing: ({ natsAccountId }) =>
    new ApiError('not_found', { resource: 'namespace', resource_id: natsAccountId ?? '' }),
  present: (credential, region) => ({
    ...presentCommon(credential, region),
    nats_account_id: credential.natsAccountId ?? '',
    checksum: credential.checksum,
    expires_at: wireTimeOrNull(credential.expiresAt),
    credentials: null,
  }),
  reveal: (wire, content) => ({ ...wire, credentials: { name: 'user.creds', content } }),
};

type Keyed = z.infer<typeof keyedCredentials>;

/** A product whose credentials are an access key and a secret key. */
export interface KeyedProduct<Id extends 'sqs' | 'sns'> extends Product<Keyed, Keyed> {
  id: Id;
  /** The activation's resource name in errors. */
  namespace: string;
}

function keyed<Id extends 'sqs' | 'sns'>(id: Id, label: string, namespace: string): KeyedProduct<Id> {
  return {
    id,
    label,
    key: /^LKEY[0-9A-Za-z]{16}$/,
    namespace,
    async issue(work, credentialId, _request, random) {
      const secret = newSecretKey(random);
      const context = { kind: 'credential', region: work.region.name, id: credentialId } as const;
      const sealed = await seal(work.sealingKeys, context, secret);
      return { key: newAccessKey(), secret, sealed, expiresAt: null };
    },
    reissue: async (_work, _credential, random) => newSecretKey(random),
    parentMissing: () =>
      new ApiError('precondition_failed', {
        precondition: 'attribute_must_be_set',
        help_message: `${label} is not activated for this project in this region: activate it first`,
      }),
    present: (credential, region) => ({
      ...presentCommon(credential, region),
      project_id: credential.projectId,
      access_key: credential.key,
      secret_key: '',
      secret_checksum: credential.checksum,
      permissions: toWirePermissions(credential.permissions ?? 0),
    }),
    reveal: (wire, secret) => ({ ...wire, secret_key: secret }),
  };
}

export const queues = keyed('sqs', 'Queues', 'MnqSQSNamespace');

export const topicsAndEvents = keyed('sns', 'Topics and Events', 'MnqSNSNamespace');

export const PRODUCTS: readonly Product<z.infer<typeof natsCredentials> | Keyed>[] = [
  nats,
  queues,
  topicsAndEvents,
];

/** Returns a secret's checksum as the API defines it: SHA-1 in hex. */
export const checksumOf = (secret: string): Promise<string> => digestHex('SHA-1', secret);
