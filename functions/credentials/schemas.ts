/**
 * Defines the shapes of the Messaging and Queuing API as zod schemas. Validation, the OpenAPI document, the attributes
 * of the site's forms and the typed browser client are all derived from them. Wire names are snake_case, as in
 * Scaleway Messaging and Queuing v1beta1.
 */

import * as z from 'zod';
import type { AccessKeyProductId } from '../../db/products.ts';
import { natsAccountId } from '../nats/schemas.ts';
import { REQUIRED_PREFIX } from '../shared/errors.ts';
import { bitsOf, PERMISSIONS, type PermissionName } from '../shared/permissions.ts';
import { listOf, nameSchema, paging, timestamp, uuid } from '../shared/schemas.ts';

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

export const createNatsCredentialsBody = z.object({
  nats_account_id: natsAccountId,
  name: credentialName.optional(),
});
export const listNatsCredentialsQuery = paging.extend({
  project_id: uuid.optional(),
  nats_account_id: natsAccountId.optional(),
});

export const projectBody = z.object({ project_id: uuid });
export const projectQuery = z.object({ project_id: uuid });

export const createAccessKeyCredentialsBody = z.object({
  project_id: uuid,
  name: credentialName.optional(),
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
});
export const listAccessKeyCredentialsQuery = paging.extend({ project_id: uuid.optional() });

const natsCredentialsFields = z.object({
  id: z.string(),
  name: z.string(),
  nats_account_id: natsAccountId,
  region: z.string(),
  created_at: timestamp,
  updated_at: timestamp,
  last_used_at: timestamp.nullable(),
  expires_at: timestamp.nullable(),
  checksum: z.string(),
});

/** NATS credentials with the `.creds` file, which only the response to their creation contains. */
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
    id: z.string(),
    name: z.string(),
    project_id: z.string(),
    region: z.string(),
    created_at: timestamp,
    updated_at: timestamp,
    last_used_at: timestamp.nullable(),
    access_key: z.string(),
    secret_key: z.string(),
    secret_checksum: z.string(),
    permissions,
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
