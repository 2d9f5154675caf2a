/**
 * Defines the shapes of the Messaging and Queuing API as zod schemas. Validation, the OpenAPI document, the attributes
 * of the site's forms and the typed browser client are all derived from them. Wire names are snake_case, as in
 * Scaleway Messaging and Queuing v1beta1.
 */

import * as z from 'zod';
import type { AccessKeyProductId } from '../../db/products.ts';
import { natsAccountId } from '../nats/schemas.ts';
import { proof, userPublicKey } from '../nats/user-keys.ts';
import { REQUIRED_PREFIX } from '../shared/errors.ts';
import { bitsOf, PERMISSIONS, type PermissionName } from '../shared/permissions.ts';
import {
  enumFilter,
  exactlyOne,
  instant,
  listOf,
  nameSchema,
  paging,
  singleLine,
  sourceIps,
  timestamp,
  uuid,
} from '../shared/schemas.ts';

export const credentialName = nameSchema(500);

/** The permissions of Queues or Topics and Events credentials: Write, Read and Manage in the UI. */
export const permissions = z
  .object({
    can_publish: z.boolean(),
    can_receive: z.boolean(),
    can_manage: z.boolean(),
  } satisfies Record<PermissionName, z.ZodBoolean>)
  .meta({ id: 'Permissions' });

/** The error message when no permission is chosen. */
export const PERMISSION_RULE =
  'at least one permission must be true: can_publish (Write), can_receive (Read) or can_manage (Manage)';

const permissionChoice = z.object(
  {
    can_publish: z.boolean().nullish(),
    can_receive: z.boolean().nullish(),
    can_manage: z.boolean().nullish(),
  } satisfies Record<PermissionName, z.ZodType>,
  { error: (issue) => (issue.input === undefined ? REQUIRED_PREFIX + PERMISSION_RULE : undefined) },
);

/** Labels of credentials, without duplicates. */
const tags = z
  .array(nameSchema(64))
  .max(20)
  .transform((all) => [...new Set(all)])
  .pipe(z.array(z.string()));

const description = singleLine(500);

/** A time in the future, in RFC 3339 with any offset. */
const future = z.iso
  .datetime({ offset: true })
  .refine((text) => Date.parse(text) > Date.now(), 'must be in the future');

/** Names of queues and topics, or the start of names: `orders-*`. */
const resources = z
  .array(
    z
      .string()
      .max(256)
      .regex(/^[A-Za-z0-9_.-]*\*?$/, 'must be a name, or the start of names followed by *: orders-*')
      .min(1),
  )
  .min(1)
  .max(20);

/** What only credentials with an access key can set. Null for no restriction. */
const restrictions = { resources: resources.nullish(), source_ips: sourceIps.nullish() };

/** What the creation of credentials of every product can set. */
const createdFields = {
  name: credentialName.optional(),
  description: description.optional(),
  tags: tags.optional(),
  expires_at: future.nullish(),
};

/** The public key of a NATS user whose private key only the caller has, and its {@link proof}. */
const callerKey = { user_public_key: userPublicKey.optional(), proof: proof.optional() };

/** Returns a refinement that reports which of these members is missing while `user_public_key` or `proof` is there. */
const requireWithKey =
  (...names: string[]) =>
  (body: Record<string, unknown>, context: z.RefinementCtx): void => {
    const given = ['user_public_key', 'proof'].find((name) => body[name] !== undefined);
    const missing = given ? names.filter((name) => body[name] === undefined) : [];
    for (const name of missing)
      context.addIssue({ code: 'custom', path: [name], message: `is required with ${given}` });
  };

/** Returns JSON Schema for {@link requireWithKey}. */
const keyWith = (...required: string[]) => ({
  anyOf: [
    {
      type: 'object',
      required,
      properties: Object.fromEntries(required.map((name) => [name, { type: 'string' }])),
    },
    { type: 'object', properties: { user_public_key: { not: {} }, proof: { not: {} } } },
  ],
});

// The proof signs the name.
const NEW_KEY = ['user_public_key', 'proof', 'name'];

export const createNatsCredentialsBody = z
  .object({
    nats_account_id: natsAccountId,
    /** Null for full access to the account. */
    nats_role_id: uuid.nullish(),
    ...createdFields,
    ...callerKey,
  })
  .superRefine(requireWithKey(...NEW_KEY))
  .meta(keyWith(...NEW_KEY));

export const CREDENTIAL_STATUSES = ['enabled', 'disabled', 'expired'] as const;

/** Query parameters of every list of credentials. */
const filters = paging.extend({
  project_id: uuid.optional(),
  /** A part of the name, in any case. */
  name: singleLine(500).optional(),
  /** Tags that the credentials all have. */
  tags: z
    .union([z.array(z.string()), z.string().transform((one) => [one])])
    .pipe(z.array(nameSchema(64)).max(20))
    .optional(),
  status: enumFilter('unknown_status', CREDENTIAL_STATUSES),
  /** The id of the user or application that created them. */
  created_by: z.string().min(1).max(200).optional(),
  expires_before: instant.optional(),
  /** Credentials that were never used match too. */
  last_used_before: instant.optional(),
  created_before: instant.optional(),
  order_by: z
    .enum([
      ...paging.shape.order_by.unwrap().options,
      'last_used_at_asc',
      'last_used_at_desc',
      'expires_at_asc',
      'expires_at_desc',
    ])
    .default('created_at_asc'),
});

export const listNatsCredentialsQuery = filters.extend({
  nats_account_id: natsAccountId.optional(),
  nats_role_id: uuid.optional(),
  /** The public key of the user. */
  public_key: z.string().min(1).max(100).optional(),
});

/** Why credentials are disabled, and after how many seconds they are revoked unless they are enabled before. */
export const disableBody = z.object({
  reason: singleLine(500).nullish(),
  revoke_after_seconds: z
    .number()
    .int()
    .min(60)
    .max(365 * 86_400)
    .nullish(),
});

export const projectBody = z.object({ project_id: uuid });
export const projectQuery = z.object({ project_id: uuid });

export const createAccessKeyCredentialsBody = z.object({
  project_id: uuid,
  ...createdFields,
  ...restrictions,
  permissions: permissionChoice
    .refine((choice) => bitsOf(choice) !== 0, PERMISSION_RULE)
    .meta({
      anyOf: PERMISSIONS.map(({ apiName: name }) => ({
        type: 'object',
        required: [name],
        properties: { [name]: { const: true } },
      })),
    }),
});
export const updateAccessKeyCredentialsBody = z.object({
  name: credentialName.nullish(),
  permissions: permissionChoice.nullish(),
  /** Null clears it. */
  description: description.nullish(),
  /** Replace all tags; null removes them. */
  tags: tags.nullish(),
  /** Null for never. */
  expires_at: future.nullish(),
  ...restrictions,
});
export const listAccessKeyCredentialsQuery = filters.extend({
  access_key: z.string().min(1).max(100).optional(),
});

/** Credentials that a batch can change. */
export const MAX_BATCH = 1000;

/** The credentials that a batch changes, by the filters of a list. */
const batchFilter = z.strictObject({
  project_id: uuid.optional(),
  nats_account_id: natsAccountId.optional(),
  nats_role_id: uuid.optional(),
  name: singleLine(500).optional(),
  tags: z.array(nameSchema(64)).max(20).optional(),
  status: z.enum(CREDENTIAL_STATUSES).optional(),
  created_by: z.string().min(1).max(200).optional(),
  expires_before: z.iso.datetime({ offset: true }).optional(),
  last_used_before: z.iso.datetime({ offset: true }).optional(),
  created_before: z.iso.datetime({ offset: true }).optional(),
});

/** A change of several credentials. `dry_run` only reports what it would do. */
export const batchBody = z
  .object({
    action: z.enum(['disable', 'enable', 'revoke']),
    ids: z.array(uuid).min(1).max(MAX_BATCH).optional(),
    filter: batchFilter.optional(),
    /** Why they are disabled. */
    reason: singleLine(500).nullish(),
    dry_run: z.boolean().default(false),
  })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), {
    path: ['ids'],
    error: 'exactly one of ids and filter is required',
  })
  .meta(exactlyOne('ids', 'filter'));

export const batchResult = z
  .object({
    dry_run: z.boolean(),
    results: z.array(
      z.object({
        id: z.string(),
        name: z.string().nullable(),
        result: z.enum(['changed', 'unchanged', 'not_found']),
        last_used_at: timestamp.nullable(),
        /** Open connections of NATS credentials, in a dry run; null if unknown. */
        connections: z.number().int().nullable(),
      }),
    ),
  })
  .meta({ id: 'BatchResult' });

/** For how long both keys work after the first use of the new one. */
export const rotateBody = z.object({
  overlap_seconds: z
    .number()
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(86_400),
});

const NEXT_KEY = ['user_public_key', 'proof'];

export const rotateNatsBody = rotateBody
  .extend(callerKey)
  .superRefine(requireWithKey(...NEXT_KEY))
  .meta(keyWith(...NEXT_KEY));

/** A rotation in progress. */
const rotationFields = {
  started_at: timestamp,
  /** When the new key was first used; null until then. */
  first_used_at: timestamp.nullable(),
  previous_last_used_at: timestamp.nullable(),
  /** When the previous key ends; null until the new one is used. */
  previous_ends_at: timestamp.nullable(),
};

/** The members that credentials of every product have. */
const commonFields = {
  id: z.string(),
  name: z.string(),
  region: z.string(),
  created_at: timestamp,
  updated_at: timestamp,
  last_used_at: timestamp.nullable(),
  expires_at: timestamp.nullable(),
  status: z.enum(CREDENTIAL_STATUSES),
  description: z.string(),
  tags: z.array(z.string()),
  /** Null for credentials from before this was recorded. The name is that of the time. */
  created_by: z
    .object({ type: z.enum(['user', 'application', 'system']), id: z.string(), name: z.string() })
    .nullable(),
  disabled_at: timestamp.nullable(),
  disabled_reason: z.string().nullable(),
  /** When disabled credentials are revoked; null for never. */
  revoke_at: timestamp.nullable(),
};

const natsCredentialsFields = z.object({
  ...commonFields,
  nats_account_id: natsAccountId,
  /** Null for full access to the account. */
  nats_role_id: z.string().nullable(),
  public_key: z.string(),
  checksum: z.string(),
  rotation: z.object({ previous_public_key: z.string(), ...rotationFields }).nullable(),
});

/**
 * NATS credentials with the `.creds` file, or the JWT if the private key is the caller's. Only the response to their creation
 * contains it.
 */
export const issuedNatsCredentials = natsCredentialsFields
  .extend({ credentials: z.object({ name: z.string(), content: z.string() }) })
  .meta({ id: 'IssuedNatsCredentials' });

/** NATS credentials in all other responses. */
export const natsCredentials = natsCredentialsFields
  .extend({ credentials: z.null() })
  .meta({ id: 'NatsCredentials' });

/** Current connections of NATS credentials, from the servers that responded in time. */
export const natsConnections = z
  .object({
    /** Active servers in the region. */
    servers: z.number().int(),
    /** Servers that responded. */
    servers_answered: z.number().int(),
    /** Whether a server has more connections of the account than the 256 that it reports. */
    truncated: z.boolean(),
    connections: z.array(
      z.object({
        server: z.string(),
        address: z.string(),
        client: z.string(),
        connected_at: z.string(),
        last_activity_at: z.string(),
      }),
    ),
  })
  .meta({ id: 'NatsConnections' });

/** Queues or Topics and Events credentials. `secret_key` is empty except in the response to their creation. */
export const accessKeyCredentials = z
  .object({
    ...commonFields,
    project_id: z.string(),
    access_key: z.string(),
    secret_key: z.string(),
    secret_checksum: z.string(),
    rotation: z.object({ previous_access_key: z.string(), ...rotationFields }).nullable(),
    permissions,
    /** Null for all queues and topics. */
    resources: z.array(z.string()).nullable(),
    /** Null for anywhere. */
    source_ips: z.array(z.string()).nullable(),
  })
  .meta({ id: 'KeyedCredentials' });

export const natsCredentialsList = listOf('nats_credentials', natsCredentials);

/** Returns the schema of a list of Queues or Topics and Events credentials. The member is named after the product. */
export const accessKeyCredentialsList = <Id extends AccessKeyProductId>(product: Id) =>
  listOf(`${product}_credentials` as const, accessKeyCredentials);

export type AccessKeyCredentialsList<Id extends AccessKeyProductId> = z.output<
  ReturnType<typeof accessKeyCredentialsList<Id>>
>;

/** Returns the schema of a product's activation in a project. The endpoint's member is named after the product. */
export const serviceInfo = <Id extends AccessKeyProductId>(product: Id) => {
  const common = {
    project_id: z.string(),
    region: z.string(),
    created_at: timestamp.nullable(),
    updated_at: timestamp.nullable(),
    status: z.enum(['enabled', 'disabled']),
  };
  return z.object({ ...common, [`${product}_endpoint_url`]: z.string() } as typeof common &
    Record<`${Id}_endpoint_url`, z.ZodString>);
};

export type ServiceInfo<Id extends AccessKeyProductId> = z.output<ReturnType<typeof serviceInfo<Id>>>;
