/**
 * Regions as data. A region is one entry of the `REGIONS` var and one D1 binding; nothing in code names a region.
 * Owns the shape of that entry and how names of bindings follow from a region's name.
 */
import * as z from 'zod';

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
});

/** The `REGIONS` var: region name → settings, in the order that drop-downs show. */
export const regionsVar = z.record(
  z.string().regex(/^[a-z]{2}-[a-z]{3}$/, 'a region is named like fr-par'),
  regionSettings,
);

/** See {@link regionsVar}. */
export type RegionsVar = z.infer<typeof regionsVar>;

/** The name of a region's binding or secret: `('REGION', 'fr-par')` → `REGION_FR_PAR`. */
export function regionBinding(prefix: 'REGION' | 'SYSTEM_SEED', region: string): string {
  return `${prefix}_${region.toUpperCase().replaceAll('-', '_')}`;
}
