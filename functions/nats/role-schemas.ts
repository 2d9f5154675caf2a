/** Defines the shapes of NATS roles. */
import * as z from 'zod';
import { listOf, nameSchema, paging, sourceIps, timestamp, uuid } from '../shared/schemas.ts';
import { natsAccountId } from './schemas.ts';

export const roleName = nameSchema(64);

/** How clients can connect. In upper case, these are the server's names. */
export const CONNECTION_TYPES = [
  'standard',
  'websocket',
  'leafnode',
  'leafnode_ws',
  'mqtt',
  'mqtt_ws',
] as const;

export type ConnectionType = (typeof CONNECTION_TYPES)[number];

/** A token of a subject without wildcards, and without the characters that no name can contain (schemas.ts). */
const TOKEN = String.raw`(?:[^\s.*>{}\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])+`;
const ANY_TOKEN = String.raw`(?:${TOKEN}|\*|\{\{subject\(\)\}\})`;

/**
 * A subject with wildcards. Servers accept nonsense here, and then reject every user of the role. They replace the token
 * `{{subject()}}` by the user's public key.
 */
const subject = z
  .string()
  .max(255)
  .regex(
    new RegExp(String.raw`^(?:${ANY_TOKEN}\.)*(?:${ANY_TOKEN}|>)$`),
    'must be a subject: tokens with dots in between, without spaces and braces; * is a whole token, > the last one, and {{subject()}} the public key of the user',
  );

const subjectList = z.array(subject).max(200);

/** Subjects: `allow` can be empty for none, and contains `>` for all. */
const subjects = z.object({ allow: subjectList, deny: subjectList.default([]) });

/** nats-server stores both in 32 bits, and reads 0 as none. */
const count = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/** What restricts a role's users in addition to subjects. Null for no restriction. */
const restrictions = {
  /** How many replies they can send to each message that they receive, and for how long. Null for none. */
  responses: z
    .object({
      max: z.number().int().min(1).max(1000).default(1),
      ttl_seconds: z.number().int().min(1).max(86_400).default(5),
    })
    .nullish(),
  source_ips: sourceIps.nullish(),
  connection_types: z.array(z.enum(CONNECTION_TYPES)).min(1).max(CONNECTION_TYPES.length).nullish(),
  max_subscriptions: count.nullish(),
  /** Bytes of a message. */
  max_payload: count.nullish(),
};

export const createRoleBody = z.object({
  nats_account_id: natsAccountId,
  name: roleName.optional(),
  publish: subjects,
  subscribe: subjects,
  ...restrictions,
});

/**
 * Absent fields keep their values, and so do `name`, `publish` and `subscribe` if they are null. `publish` and `subscribe`
 * are replaced as a whole.
 */
export const updateRoleBody = z.object({
  name: roleName.nullish(),
  publish: subjects.nullish(),
  subscribe: subjects.nullish(),
  ...restrictions,
});

export const listRolesQuery = paging.extend({
  project_id: uuid.optional(),
  nats_account_id: natsAccountId.optional(),
});

const subjectsOfRole = z.object({ allow: z.array(z.string()), deny: z.array(z.string()) });

export const natsRole = z
  .object({
    id: z.string(),
    name: z.string(),
    nats_account_id: natsAccountId,
    project_id: z.string(),
    region: z.string(),
    created_at: timestamp,
    updated_at: timestamp,
    /** Sorted, as all lists of a role. */
    publish: subjectsOfRole,
    subscribe: subjectsOfRole,
    responses: z.object({ max: z.number().int(), ttl_seconds: z.number().int() }).nullable(),
    source_ips: z.array(z.string()).nullable(),
    connection_types: z.array(z.enum(CONNECTION_TYPES)).nullable(),
    max_subscriptions: z.number().int().nullable(),
    max_payload: z.number().int().nullable(),
  })
  .meta({ id: 'NatsRole' });

export const natsRoleList = listOf('nats_roles', natsRole);
