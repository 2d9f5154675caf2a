/**
 * Defines the shapes of the Messaging and Queuing API as zod schemas. Validation, the OpenAPI document, the attributes
 * of the site's forms and the typed browser client are all derived from them. Wire names are snake_case, as in
 * Scaleway Messaging and Queuing v1beta1.
 */
import * as z from 'zod';
import { REQUIRED } from '../errors.ts';

/** A UUID, converted to lower case. */
export const uuid = z.guid().toLowerCase();

/** A NATS account's public key: `A` and 55 characters of base32 (nkeys). */
export const natsAccountId = z
  .string()
  .regex(/^A[A-Z2-7]{55}$/, 'must be the id of a NATS account: A followed by 55 characters from A-Z and 2-7');

/**
 * Any Unicode text without control characters, line and paragraph separators, lone surrogates and characters that
 * control text direction. Prevents spoofing: an override in a name would reverse the text around it, such as the
 * question to confirm a revocation. Has no flags, so that it also works in JSON Schema and in a form's `pattern`.
 */
const PRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it excludes.
  /^(?:[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])*$/;

/** Single-line text of at most `max` UTF-16 units, trimmed: {@link PRINTABLE}. Can be empty. */
export const lineOf = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .regex(PRINTABLE, 'must not contain control characters, line breaks or text direction controls');

/** A name of at most `max` UTF-16 units: {@link lineOf}, but not empty. */
export const nameOf = (max: number) => lineOf(max).min(1);

export const accountName = nameOf(64);

export const credentialName = nameOf(500);

/** The name of a person or an organization. */
export const partyName = nameOf(100);

/** A time in RFC 3339, in UTC. */
const timestamp = z.iso.datetime();

/** The permissions of Queues or Topics and Events credentials: Write, Read and Manage in the UI. */
export const permissions = z
  .object({ can_publish: z.boolean(), can_receive: z.boolean(), can_manage: z.boolean() })
  .meta({ id: 'Permissions' });

/** The error message when no permission is chosen. */
export const PERMISSION_RULE =
  'at least one permission must be true: can_publish (Write), can_receive (Read) or can_manage (Manage)';

const permissionChoice = z.object(
  {
    can_publish: z.boolean().nullish(),
    can_receive: z.boolean().nullish(),
    can_manage: z.boolean().nullish(),
  },
  { error: (issue) => (issue.input === undefined ? REQUIRED + PERMISSION_RULE : undefined) },
);

/** Query parameters of every list. */
export const paging = z.object({
  page: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31)
    .default(1),
  page_size: z.coerce.number().int().min(1).max(100).default(50),
  order_by: z
    .enum(['created_at_asc', 'created_at_desc', 'updated_at_asc', 'updated_at_desc', 'name_asc', 'name_desc'])
    .default('created_at_asc'),
});

/** Returns JSON Schema for "exactly one of these members". Null counts as absent, as in the refinements. */
export const exactlyOne = (...names: string[]): { oneOf: Record<string, unknown>[] } => ({
  oneOf: names.map((name) => ({
    type: 'object',
    required: [name],
    properties: Object.fromEntries(
      names.map((other) => [other, { type: other === name ? ['string', 'array', 'object'] : 'null' }]),
    ),
  })),
});

/**
 * A filter by one of these values. `unknown` is the zero value of the enum, which official clients send for no filter;
 * it matches everything.
 */
export const choiceOf = <const Values extends readonly [string, ...string[]]>(
  unknown: `unknown_${string}`,
  values: Values,
) =>
  z
    .enum([unknown, ...values])
    .optional()
    .transform((value) => (value === unknown ? undefined : (value as Values[number] | undefined)));

/** The path parameters of every regional endpoint. The OpenAPI document lists the regions that are served. */
export const regionParams = z.object({ region: z.string() });

export const createAccountBody = z.object({ project_id: uuid, name: accountName.optional() });
export const updateAccountBody = z.object({ name: accountName.nullish() });
export const listAccountsQuery = paging.extend({ project_id: uuid.optional() });

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

export const createKeyedCredentialsBody = z.object({
  project_id: uuid,
  name: credentialName.optional(),
  permissions: permissionChoice
    .refine(
      (choice) => Boolean(choice.can_publish || choice.can_receive || choice.can_manage),
      PERMISSION_RULE,
    )
    .meta({
      anyOf: ['can_publish', 'can_receive', 'can_manage'].map((name) => ({
        type: 'object',
        required: [name],
        properties: { [name]: { const: true } },
      })),
    }),
});
export const updateKeyedCredentialsBody = z.object({
  name: credentialName.nullish(),
  permissions: permissionChoice.nullish(),
});
export const listKeyedCredentialsQuery = paging.extend({ project_id: uuid.optional() });

export const natsAccount = z
  .object({
    id: natsAccountId,
    name: z.string(),
    endpoint: z.string(),
    /** Addresses for browsers, equivalent: `wss://host:port`. */
    websockets: z.array(z.string()),
    project_id: z.string(),
    region: z.string(),
    created_at: timestamp,
    updated_at: timestamp,
    /** Whether every active server has the account's latest state. */
    enforcement: z.object({
      state: z.enum(['enforced', 'pending']),
      revision: z.number().int(),
      acknowledged_revision: z.number().int(),
      /** Servers that were active at the last push, and those that acknowledged it. */
      servers: z.number().int(),
      acknowledged_servers: z.number().int(),
    }),
  })
  .meta({ id: 'NatsAccount' });

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

/** A nats-server of a region, or a configured address without a reply. */
export const natsServer = z
  .object({
    state: z.enum(['replied', 'no_reply']),
    name: z.string().nullable(),
    version: z.string().nullable(),
    /** Whether Latchkey supports the version. */
    supported: z.boolean().nullable(),
    /** Known faults of the version that affect Latchkey. */
    faults: z.array(z.object({ id: z.string(), summary: z.string() })),
    /** The configured addresses that reach it. */
    websockets: z.array(z.string()),
    clock_ahead_ms: z.number().int().nullable(),
  })
  .meta({ id: 'NatsServer' });

/** Queues or Topics and Events credentials. `secret_key` is empty except in the response to their creation. */
export const keyedCredentials = z
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

/** Returns the schema of a list: one page, and the total number of items on all pages. */
export const listOf = <Key extends string, Item extends z.ZodType>(key: Key, item: Item) =>
  z.object({ total_count: z.number().int(), [key]: z.array(item) } as {
    total_count: z.ZodNumber;
  } & Record<Key, z.ZodArray<Item>>);

export const natsServerList = listOf('nats_servers', natsServer);
export const natsAccountList = listOf('nats_accounts', natsAccount);
export const natsCredentialsList = listOf('nats_credentials', natsCredentials);

/** Returns the schema of a list of Queues or Topics and Events credentials. The member is named after the product. */
export const keyedCredentialsList = <Id extends 'sqs' | 'sns'>(product: Id) =>
  listOf(`${product}_credentials` as const, keyedCredentials);

export type KeyedCredentialsList<Id extends 'sqs' | 'sns'> = z.output<
  ReturnType<typeof keyedCredentialsList<Id>>
>;

/** Returns the schema of a product's activation in a project. The endpoint's member is named after the product. */
export const serviceInfo = <Id extends 'sqs' | 'sns'>(product: Id) => {
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

export type ServiceInfo<Id extends 'sqs' | 'sns'> = z.output<ReturnType<typeof serviceInfo<Id>>>;
