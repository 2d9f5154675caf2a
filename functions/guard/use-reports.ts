/**
 * Collects the uses of access keys in this isolate and reports them to their guards in the background, one call per key
 * every two seconds. What an isolate has not reported when it ends is lost, so counts are approximate.
 */
import type { Context } from 'hono';
import type { Config, Region } from '../shared/env.ts';
import { type AppEnv, inBackground } from '../shared/http.ts';
import { LAST_USE_INTERVAL_MS } from '../shared/last-use.ts';
import { truncateAddress } from '../shared/networks.ts';
import { guardOf, type UsedRow } from './guards.ts';
import { addUse, noUsage, type Outcome, type Usage } from './usage.ts';

/** How long uses are collected before they are reported, in milliseconds. */
const COLLECT_MS = 2000;
/** After this time, the request that was to report has been cut off, and another one reports, in milliseconds. */
const OVERDUE_MS = 15_000;
/** The longest client name that is counted. */
const MAX_CLIENT_LENGTH = 64;

/** The used credentials. */
export interface UsedCredential {
  region: Region;
  accessKey: string;
  credential: UsedRow;
}

/** Uses of one access key that are not reported yet. */
interface Collection {
  usage: Usage;
  /** When another request must report, in milliseconds since the epoch. */
  overdueAt: number;
}

const collections = new WeakMap<Config, Map<string, Collection>>();

/** Counts a request with a valid signature, which began at `at` (milliseconds since the epoch). Never throws or waits. */
export function countUse(
  c: Context<AppEnv>,
  used: UsedCredential,
  use: { action: string; outcome: Outcome; at: number },
): void {
  const config = c.get('config');
  const name = `${used.region.name}/${used.accessKey}`;
  const ofAll = collections.get(config) ?? new Map<string, Collection>();
  collections.set(config, ofAll);
  const collection = ofAll.get(name) ?? { usage: noUsage(), overdueAt: 0 };
  ofAll.set(name, collection);
  addUse(collection.usage, {
    ...use,
    network: truncateAddress(c.req.header('CF-Connecting-IP')),
    client: clientNameOf(c.req.header('User-Agent')),
  });
  const now = Date.now();
  // A use that is to be recorded as the last one is reported at once: its owner may be waiting to see it.
  const isDue = use.at - (used.credential.lastUsedAt ?? 0) >= LAST_USE_INTERVAL_MS;
  if (!isDue && now < collection.overdueAt) return;
  collection.overdueAt = now + OVERDUE_MS;
  const report = async () => {
    if (!isDue) await new Promise((resolve) => setTimeout(resolve, COLLECT_MS));
    if (ofAll.get(name) !== collection) return;
    // Removed before the call, so that no use is reported twice.
    ofAll.delete(name);
    const { id, lastUsedAt } = used.credential;
    const key = { region: used.region.name, accessKey: used.accessKey };
    await guardOf(config, used.region, used.accessKey).record(key, { id, lastUsedAt }, collection.usage);
  };
  inBackground(c, 'reporting the use of credentials', report());
}

/** Returns the first product of a User-Agent, such as `aws-sdk-js/3.1169.0`, and `unknown` without a valid one. */
export function clientNameOf(userAgent: string | undefined): string {
  // The characters of a token in HTTP: nothing that could break out of a text, a table or a log line.
  const [product] =
    /^[A-Za-z0-9!#$%&'*+.^_`|~-]+(\/[A-Za-z0-9!#$%&'*+.^_`|~-]+)?/.exec(userAgent ?? '') ?? [];
  return product?.slice(0, MAX_CLIENT_LENGTH) ?? 'unknown';
}
