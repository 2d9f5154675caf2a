/**
 * Defines the settings of a region and the names of its bindings. A region is one entry of the `REGIONS` var and one
 * D1 binding; no code names a region.
 */
import * as z from 'zod';

const origin = z
  .string()
  .regex(/^https?:\/\/[^/?#]+$/, 'must be http://host[:port] or https://host[:port], without a path');

/** The service for a region's queues and topics: any that supports SQS's JSON protocol and SNS's Query protocol. */
export const engineSettings = z.object({
  sqs_endpoint: origin,
  sns_endpoint: origin,
  /** The region that requests are signed for and that its ARNs contain: `eu-west-3`. */
  region: z.string().regex(/^[a-z\d-]+$/),
  /** The account in its ARNs and in its queue URLs: `<sqs_endpoint>/<account>/<name>`. */
  account: z.string().regex(/^[A-Za-z\d_-]+$/),
  /** The partition in its ARNs. */
  partition: z
    .string()
    .regex(/^[a-z-]+$/)
    .default('aws'),
  /**
   * Whether topics can deliver to https URLs. Enable it only if the engine supports it and can reach only the
   * internet: clients choose the URLs, and could otherwise reach the engine's network.
   */
  https_subscriptions: z.boolean().default(false),
});

/** Settings of a region that are not secret: an entry of the `REGIONS` var in wrangler.toml. */
export const regionSettings = z.object({
  /** Label in drop-downs: `Paris`. */
  label: z.string().min(1),
  /** D1 location hint, used when deployment creates the region's database. */
  location: z.enum(['wnam', 'enam', 'weur', 'eeur', 'apac', 'oc']).optional(),
  /** Address for NATS clients: `nats://host:port` or `tls://host:port`. */
  nats_endpoint: z.string().regex(/^(nats|tls):\/\/[^/]+$/, 'must be nats://host:port or tls://host:port'),
  /**
   * Addresses for the Worker and browsers, tried in order: `wss://host:port`. Without any, revocations cannot be
   * pushed: they stay pending until the servers fetch the account again.
   */
  nats_websockets: z.array(z.string().regex(/^wss?:\/\/[^/]+$/, 'must be wss://host:port')).default([]),
  /**
   * Total bytes of streams on disk that accounts can reserve: the servers' `max_file`. Accounts beyond it are refused,
   * because a server that is not in a cluster would not enable JetStream for them. Without it, none is refused.
   */
  nats_storage: z.number().int().min(1).optional(),
  /** The same for streams in memory: `max_mem`. */
  nats_memory: z.number().int().min(1).optional(),
  /** If absent, Queues and Topics and Events return 503. Its key is the secret `ENGINE_KEY_<REGION>`. */
  engine: engineSettings.optional(),
});

/** The `REGIONS` var: region name → settings, in the order of drop-downs. */
export const regionsVar = z.record(
  z.string().regex(/^[a-z]{2}-[a-z]{3}$/, 'the name of a region must look like fr-par'),
  regionSettings,
);

export type RegionsVar = z.infer<typeof regionsVar>;

/** Returns the name of a region's binding or secret: `('REGION', 'fr-par')` → `REGION_FR_PAR`. */
export function regionBinding(prefix: 'REGION' | 'SYSTEM_SEED' | 'ENGINE_KEY', region: string): string {
  return `${prefix}_${region.toUpperCase().replaceAll('-', '_')}`;
}
