/** The limits that stand in code, for the page about them: read from the schemas and constants that enforce them. */
import * as z from 'zod';
import { MOST_FEEDBACK } from '../../../db/identity/feedback.ts';
import { credentialName } from '../../../functions/credentials/schemas.ts';
import { MAX_LENGTH } from '../../../functions/gateway/names.ts';
import { MAX_BODY_BYTES as GATEWAY_BODY } from '../../../functions/gateway/routes.ts';
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

/** A part that limits something. */
export type LimitedPart = 'api' | 'quotas' | 'guests' | 'nats' | 'gateway';

/** What a part limits, and to what. */
export const LIMITS: Record<LimitedPart, [what: string, limit: string][]> = {
  api: [
    ['The body of a request', kib(API_BODY)],
    ['The name of credentials', `${longest(credentialName)} characters`],
    ['The name of a NATS account', `${longest(accountName)} characters`],
    ['A page of a list', `${size.maximum} items; ${size.default} when nothing is said`],
    ['Answers to “Was this page helpful?” that are kept', `${number(MOST_FEEDBACK)}, the newest`],
  ],
  quotas: [
    ['NATS accounts of an organization in a region', `${number(quotas.nats_accounts)} by default`],
    [
      'Credentials of a project in a region, of all products together',
      `${number(quotas.credentials)} by default`,
    ],
  ],
  guests: [
    ['How long a guest may stay', `${number(guests.minutes)} minutes by default`],
    ['Guests at a time', `${number(guests.most)} by default`],
    ['NATS accounts of a guest in a region', `${number(guests.quotas.nats_accounts)} by default`],
    [
      'Credentials of a guest in a region, of all products together',
      `${number(guests.quotas.credentials)} by default`,
    ],
    ['Streams on disk of a guest’s NATS account', `${sizeOf(nats.guest_limits.disk)} by default`],
    ['Streams of a guest’s NATS account', `${number(nats.guest_limits.streams)} by default`],
    ['Connections of a guest’s NATS account', `${number(nats.guest_limits.connections)} by default`],
  ],
  nats: [
    ['Credentials of an account, live and revoked together', `${number(nats.max_revocations)} by default`],
    ['Streams on disk of an account', `${sizeOf(nats.account_limits.disk)} by default`],
    ['Streams of an account', `${number(nats.account_limits.streams)} by default`],
    ['Consumers of a stream', `${number(nats.account_limits.consumers)} by default`],
  ],
  gateway: [
    ['The body of a request', kib(GATEWAY_BODY)],
    [
      'The name of a queue',
      `${MAX_LENGTH.sqs} characters of A-Z, a-z, 0-9, - and _, “.fifo” at the end included`,
    ],
    ['The name of a topic', `${MAX_LENGTH.sns} of the same`],
  ],
};
