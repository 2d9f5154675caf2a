/** Defines the shapes of NATS accounts and nats-servers. */
import * as z from 'zod';
import { listOf, nameSchema, paging, timestamp, uuid } from '../shared/schemas.ts';

/** A NATS account's public key: `A` and 55 characters of base32 (nkeys). */
export const natsAccountId = z
  .string()
  .regex(/^A[A-Z2-7]{55}$/, 'must be the id of a NATS account: A followed by 55 characters from A-Z and 2-7');

export const accountName = nameSchema(64);

export const createAccountBody = z.object({ project_id: uuid, name: accountName.optional() });
export const updateAccountBody = z.object({ name: accountName.nullish() });
export const listAccountsQuery = paging.extend({ project_id: uuid.optional() });

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

export const natsServerList = listOf('nats_servers', natsServer);
export const natsAccountList = listOf('nats_accounts', natsAccount);
