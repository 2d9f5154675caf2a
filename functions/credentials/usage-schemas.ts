/** The shapes of the usage of credentials, with examples for the OpenAPI document. */
import * as z from 'zod';
import { timestamp, uuid } from '../shared/schemas.ts';

/** The most credentials in one request for their usage in the last day. */
export const MAX_CREDENTIALS = 100;

export const usageQuery = z.object({ period: z.enum(['day', 'week', 'month']).default('day') });

export type UsagePeriod = z.infer<typeof usageQuery>['period'];

export const lastDayQuery = z.object({
  /** Can be repeated. */
  credentials_id: z.union([z.array(uuid).max(MAX_CREDENTIALS), uuid]),
});

const count = z.number().int();

const lastUsed = z.object({ at: timestamp, network: z.string(), client: z.string() }).nullable();

const period = { from: timestamp, to: timestamp, step_seconds: count };

/** The usage of Queues or Topics and Events credentials. */
export const requestUsage = z
  .object({
    ...period,
    buckets: z.array(
      z.object({
        start: timestamp,
        /** Action → requests, whatever their outcome. */
        requests: z.record(z.string(), count),
        denied: count,
        throttled: count,
        failed: count,
      }),
    ),
    networks: z.array(z.object({ network: z.string(), requests: count, last_seen_at: timestamp })),
    clients: z.array(z.object({ name: z.string(), requests: count, last_seen_at: timestamp })),
    last_used: lastUsed,
  })
  .meta({ id: 'RequestUsage' });

/** The usage of NATS credentials. */
export const connectionUsage = z
  .object({
    ...period,
    buckets: z.array(
      z.object({
        start: timestamp,
        /** The most open connections at once. */
        connections: count,
        /** Messages from clients to the servers. */
        messages_in: count,
        /** Messages from the servers to clients. */
        messages_out: count,
      }),
    ),
    /** `connections`: how many there were when the network was last seen. */
    networks: z.array(z.object({ network: z.string(), connections: count, last_seen_at: timestamp })),
    /** `connections`: how many there were when the client was last seen. */
    clients: z.array(z.object({ name: z.string(), connections: count, last_seen_at: timestamp })),
    last_used: lastUsed,
  })
  .meta({ id: 'ConnectionUsage' });

export const requestsInLastDay = z.object({
  usage: z.array(z.object({ credentials_id: z.string(), requests: count })),
});

export const connectionsInLastDay = z.object({
  usage: z.array(
    z.object({ credentials_id: z.string(), connections: count, messages_in: count, messages_out: count }),
  ),
});

const exampleId = '8d3f9a52-4a0c-4a2e-9d2a-0f2f0c6c9d11';
const examplePeriod = {
  from: '2026-11-20T10:00:00.000Z',
  to: '2026-11-21T09:12:04.000Z',
  step_seconds: 3600,
};
const lastUsedExample = {
  at: '2026-11-21T09:11:58.000Z',
  network: '192.0.2.0/24',
  client: 'aws-sdk-js/3.1169.0',
};
const seen = { last_seen_at: lastUsedExample.at };

/** Examples with one of the buckets. The keys are invalid. */
export const examples = {
  requests: {
    ...examplePeriod,
    buckets: [
      {
        start: '2026-11-21T09:00:00.000Z',
        requests: { SendMessage: 118, ReceiveMessage: 12 },
        denied: 12,
        throttled: 0,
        failed: 1,
      },
    ],
    networks: [{ network: lastUsedExample.network, requests: 130, ...seen }],
    clients: [{ name: lastUsedExample.client, requests: 130, ...seen }],
    last_used: lastUsedExample,
  },
  connections: {
    ...examplePeriod,
    buckets: [{ start: '2026-11-21T09:00:00.000Z', connections: 2, messages_in: 118, messages_out: 236 }],
    networks: [{ network: lastUsedExample.network, connections: 2, ...seen }],
    clients: [{ name: 'orders', connections: 2, ...seen }],
    last_used: { ...lastUsedExample, client: 'orders' },
  },
  requestsInLastDay: { usage: [{ credentials_id: exampleId, requests: 130 }] },
  connectionsInLastDay: {
    usage: [{ credentials_id: exampleId, connections: 2, messages_in: 118, messages_out: 236 }],
  },
};
