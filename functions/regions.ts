/**
 * Regions as data. A region is one entry of the `REGIONS` var and one D1 binding; nothing in code names a region.
 * Owns the shape of that entry and how names of bindings follow from a region's name.
 */
import * as z from 'zod';

const origin = z
  .string()
  .regex(/^https?:\/\/[^/?#]+$/, 'must be http://host[:port] or https://host[:port], without a path');

/** Where a region's queues and topics are: any service that speaks SQS's JSON protocol and SNS's Query protocol. */
export const engineSettings = z.object({
  sqs_endpoint: origin,
  sns_endpoint: origin,
  /** The region that requests are signed for, and that is in its ARNs: `eu-west-3`. */
  region: z.string().regex(/^[a-z\d-]+$/),
  /** The account in its ARNs, and in its queue URLs: `<sqs_endpoint>/<account>/<name>`. */
  account: z.string().regex(/^[A-Za-z\d_-]+$/),
  /** The partition in its ARNs. */
  partition: z
    .string()
    .regex(/^[a-z-]+$/)
    .default('aws'),
  /** Whether topics may deliver to https URLs: only where the engine does, and where it may reach the internet only. */
  https_subscriptions: z.boolean().default(false),
});

/** The part of a region that is not a secret: an entry of the `REGIONS` var of wrangler.toml. */
export const regionSettings = z.object({
  /** What a person reads in a drop-down: `Paris`. */
  label: z.string().min(1),
  /** D1 location hint, used when deployment creates the region's database. */
  location: z.enum(['wnam', 'enam', 'weur', 'eeur', 'apac', 'oc']).optional(),
  /** Where NATS clients connect: `nats://host:port` or `tls://host:port`. */
  nats_endpoint: z.string().regex(/^(nats|tls):\/\/[^/]+$/, 'must be nats://host:port or tls://host:port'),
  /**
   * Where the Worker and browsers reach the region's servers, tried in turn: `wss://host:port`. Without any, nothing can
   * be pushed to them: a revocation stays pending until the servers fetch the account anew.
   */
  nats_websockets: z.array(z.string().regex(/^wss?:\/\/[^/]+$/, 'must be wss://host:port')).default([]),
  /**
   * How many bytes of streams on disk all accounts may be promised together: the servers' `max_file`. An account beyond
   * it is refused, since a server that is not in a cluster would give it no JetStream. Without it none is.
   */
  nats_storage: z.number().int().min(1).optional(),
  /** The same for streams in memory, and `max_mem`. */
  nats_memory: z.number().int().min(1).optional(),
  /** Without one, Queues and Topics and Events answer 503. Its key is the secret `ENGINE_KEY_<REGION>`. */
  engine: engineSettings.optional(),
});

/** The `REGIONS` var: region name → settings, in the order that drop-downs show. */
export const regionsVar = z.record(
  z.string().regex(/^[a-z]{2}-[a-z]{3}$/, 'a region is named like fr-par'),
  regionSettings,
);

/** See {@link regionsVar}. */
export type RegionsVar = z.infer<typeof regionsVar>;

/** The name of a region's binding or secret: `('REGION', 'fr-par')` → `REGION_FR_PAR`. */
export function regionBinding(prefix: 'REGION' | 'SYSTEM_SEED' | 'ENGINE_KEY', region: string): string {
  return `${prefix}_${region.toUpperCase().replaceAll('-', '_')}`;
}
