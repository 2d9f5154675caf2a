/** Data of the limits reference, from the schemas and constants that enforce the limits. */
import * as z from 'zod';
import { MAX_FEEDBACK } from '../../../db/identity/feedback.ts';
import { credentialName } from '../../../functions/credentials/schemas.ts';
import { MAX_LENGTH } from '../../../functions/gateway/names.ts';
import { MAX_BODY_BYTES as GATEWAY_BODY } from '../../../functions/gateway/routes.ts';
import { MAX_ROLE_BYTES } from '../../../functions/nats/role-template.ts';
import { accountName } from '../../../functions/nats/schemas.ts';
import { guestSettings, natsSettings, quotaSettings } from '../../../functions/shared/env.ts';
import { MAX_BODY_BYTES as API_BODY } from '../../../functions/shared/http.ts';
import { paging } from '../../../functions/shared/schemas.ts';
import { sizeOf } from './size.ts';

const kib = (bytes: number) => (bytes >= 1024 ** 2 ? `${bytes / 1024 ** 2} MiB` : `${bytes / 1024} KiB`);
const longest = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'input' }).maxLength ?? Number.NaN;
const lists = z.toJSONSchema(paging, { io: 'input', unrepresentable: 'any' }).properties ?? {};
const size = lists.page_size as { maximum: number; default: number };
const number = (value: number) => value.toLocaleString('en');

const guests = guestSettings.parse({});
const nats = natsSettings.parse({});
const quotas = quotaSettings.parse({});

export type LimitedPart = 'api' | 'quotas' | 'guests' | 'nats' | 'gateway';

/** The limits of each part. */
export const LIMITS: Record<LimitedPart, [what: string, limit: string][]> = {
  api: [
    ['Request body', kib(API_BODY)],
    ['Name of credentials', `${longest(credentialName)} characters`],
    ['Name of a NATS account', `${longest(accountName)} characters`],
    ['Page size of a list', `${size.maximum} items; ${size.default} by default`],
    ['Stored answers to “Was this page helpful?”', `${number(MAX_FEEDBACK)}, the newest ones`],
  ],
  quotas: [
    ['NATS accounts per organization and region', `${number(quotas.nats_accounts)} by default`],
    ['Credentials per project and region, across all products', `${number(quotas.credentials)} by default`],
    ['Roles per NATS account', `${number(quotas.nats_roles)} by default`],
  ],
  guests: [
    ['Lifetime of a guest sandbox', `${number(guests.minutes)} minutes by default`],
    ['Guest sandboxes at the same time', `${number(guests.most)} by default`],
    ['NATS accounts per guest and region', `${number(guests.quotas.nats_accounts)} by default`],
    [
      'Credentials per guest and region, across all products',
      `${number(guests.quotas.credentials)} by default`,
    ],
    ['Roles per guest NATS account', `${number(guests.quotas.nats_roles)} by default`],
    ['Disk storage for streams per guest NATS account', `${sizeOf(nats.guest_limits.disk)} by default`],
    ['Streams per guest NATS account', `${number(nats.guest_limits.streams)} by default`],
    ['Connections per guest NATS account', `${number(nats.guest_limits.connections)} by default`],
  ],
  nats: [
    ['Credentials per account, active and revoked together', `${number(nats.max_revocations)} by default`],
    ['Roles of an account together, in its JWT', `${number(MAX_ROLE_BYTES)} bytes`],
    ['Disk storage for streams per account', `${sizeOf(nats.account_limits.disk)} by default`],
    ['Streams per account', `${number(nats.account_limits.streams)} by default`],
    ['Consumers per stream', `${number(nats.account_limits.consumers)} by default`],
  ],
  gateway: [
    ['Request body', kib(GATEWAY_BODY)],
    [
      'Name of a queue',
      `${MAX_LENGTH.sqs} characters of A-Z, a-z, 0-9, - and _, including the suffix “.fifo”`,
    ],
    ['Name of a topic', `${MAX_LENGTH.sns} of the same characters`],
  ],
};
