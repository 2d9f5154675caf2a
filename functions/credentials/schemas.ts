/**
 * The shapes of the Messaging and Queuing API, one plain zod schema each. Validation, the OpenAPI document, the
 * attributes of the site's forms and the typed browser client all read these; nothing else describes a request.
 * Wire names are snake_case, as Scaleway Messaging and Queuing v1beta1 has them.
 */
import * as z from 'zod';
import { REQUIRED } from '../errors.ts';

/** A UUID as clients send it, in lower case. */
export const uuid = z.guid().toLowerCase();

/** The public key of a NATS account: `A` and 55 characters of base32 (nkeys). */
export const natsAccountId = z
  .string()
  .regex(/^A[A-Z2-7]{55}$/, 'must be the id of a NATS account: A and 55 characters of A-Z and 2-7');

/**
 * Any Unicode but control characters, line and paragraph separators, halves of a surrogate pair, and the characters that
 * control text direction: an override in a name would reverse the sentences around it, such as the one that asks to
 * confirm a revocation. Without flags, so the same text works in JSON Schema and in the `pattern` of a form.
 */
const PRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it excludes.
  /^(?:[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])*$/;

/** Text of one line that people type and read, of at most `max` UTF-16 units, trimmed: {@link PRINTABLE}. May be empty. */
export const lineOf = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .regex(PRINTABLE, 'must not contain control characters, line breaks or text direction controls');

/** A name of at most `max` UTF-16 units: as {@link lineOf}, but not empty. */
export const nameOf = (max: number) => lineOf(max).min(1);

/** The name of a NATS account. */
export const accountName = nameOf(64);

/** The name of a set of credentials, of any product. */
export const credentialName = nameOf(500);

/** The name of a person or an organization. */
export const partyName = nameOf(100);

/** An instant, RFC 3339 in UTC. */
const timestamp = z.iso.datetime();

/** What a Queues or Topics and Events credential may do: Write, Read, Manage on screen. */
export const permissions = z
  .object({ can_publish: z.boolean(), can_receive: z.boolean(), can_manage: z.boolean() })
  .meta({ id: 'Permissions' });

/** The message of the rule that a credential can do something. */
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

/** The fields of a list's query. */
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

/** JSON Schema for "exactly one of these members": absent and null are the same, as the refinements have it. */
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
 * A filter that chooses one of these values. `unknown` is the zero of its enum, which official clients send when they were
 * asked for no filter: it restricts nothing.
 */
export const choiceOf = <const Values extends readonly [string, ...string[]]>(
  unknown: `unknown_${string}`,
  values: Values,
) =>
  z
    .enum([unknown, ...values])
    .optional()
    .transform((value) => (value === unknown ? undefined : (value as Values[number] | undefined)));

/** The path of every endpoint; the OpenAPI document lists the regions that are served. */
export const regionParams = z.object({ region: z.string() });

/** Request shapes. */
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

/** Response shapes. */
export const natsAccount = z
  .object({
    id: natsAccountId,
    name: z.string(),
    endpoint: z.string(),
    /** Where browsers connect, any of them: `wss://host:port`. */
    websockets: z.array(z.string()),
    project_id: z.string(),
    region: z.string(),
    created_at: timestamp,
    updated_at: timestamp,
    /** Whether every active server has the newest state of the account. */
    enforcement: z.object({
      state: z.enum(['enforced', 'pending']),
      revision: z.number().int(),
      acknowledged_revision: z.number().int(),
      /** How many servers were active at the last push, and how many of them acknowledged it. */
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

/** NATS credentials as the creation shows them, with the `.creds` file: this once. */
export const issuedNatsCredentials = natsCredentialsFields
  .extend({ credentials: z.object({ name: z.string(), content: z.string() }) })
  .meta({ id: 'IssuedNatsCredentials' });

/** NATS credentials as they are read afterwards. */
export const natsCredentials = natsCredentialsFields
  .extend({ credentials: z.null() })
  .meta({ id: 'NatsCredentials' });

/** Who is connected with NATS credentials now, as far as the region's servers told in time. */
export const natsConnections = z
  .object({
    /** How many servers are active in the region. */
    servers: z.number().int(),
    /** How many of them answered. */
    servers_answered: z.number().int(),
    /** Whether a server has more connections of the account than the 256 that it tells. */
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

/** A nats-server of a region, or a configured address where none replied. */
export const natsServer = z
  .object({
    state: z.enum(['replied', 'no_reply']),
    name: z.string().nullable(),
    version: z.string().nullable(),
    /** Whether the version is one that Latchkey supports. */
    supported: z.boolean().nullable(),
    /** Known faults of the version that concern Latchkey. */
    faults: z.array(z.object({ id: z.string(), summary: z.string() })),
    /** The configured addresses that lead to it. */
    websockets: z.array(z.string()),
    clock_ahead_ms: z.number().int().nullable(),
  })
  .meta({ id: 'NatsServer' });

/** Queues or Topics and Events credentials; `secret_key` is empty after the creation. */
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

/** Lists: one page and how many there are on all pages. */
export const listOf = <Key extends string, Item extends z.ZodType>(key: Key, item: Item) =>
  z.object({ total_count: z.number().int(), [key]: z.array(item) } as {
    total_count: z.ZodNumber;
  } & Record<Key, z.ZodArray<Item>>);

export const natsServerList = listOf('nats_servers', natsServer);
export const natsAccountList = listOf('nats_accounts', natsAccount);
export const natsCredentialsList = listOf('nats_credentials', natsCredentials);

/** A list of Queues or Topics and Events credentials; the member is named after the product. */
export const keyedCredentialsList = <Id extends 'sqs' | 'sns'>(product: Id) =>
  listOf(`${product}_credentials` as const, keyedCredentials);

/** See {@link keyedCredentialsList}. */
export type KeyedCredentialsList<Id extends 'sqs' | 'sns'> = z.output<
  ReturnType<typeof keyedCredentialsList<Id>>
>;

/** Whether Queues or Topics and Events is active for a project; the endpoint's member is named after the product. */
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

/** See {@link serviceInfo}. */
export type ServiceInfo<Id extends 'sqs' | 'sns'> = z.output<ReturnType<typeof serviceInfo<Id>>>;
