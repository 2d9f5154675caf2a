/**
 * Announces changes of credentials to their guards, after the commit and before the response, and reports whether all
 * guards know. A guard that was not reached reads the row again when its lease ends.
 */
import type { Context } from 'hono';
import type { Config, Region } from '../shared/env.ts';
import { type AppEnv, ENFORCEMENT_HEADER, inBackground } from '../shared/http.ts';
import { guardOf, isTemporary } from './guards.ts';

/** Guards called at once. */
const CONCURRENCY = 64;
/** How long a response waits for the guards, in milliseconds. */
const DEADLINE_MS = 2000;
/** Guards called for a change. The platform limits how many objects a request can call. */
const MAX_GUARDS = 900;
/** Added to the lease, in seconds: how long a response can take after the row was last checked. */
const MARGIN_SECONDS = 1;

/** The OpenAPI description of a change that guards must know of. */
export const GUARDED_DESCRIPTION = `The header ${ENFORCEMENT_HEADER} shows whether the change is in force for every
  request (\`enforced\`), or the number of seconds within which it will be (\`pending; within=31\`).`;

/** The outcome of an announcement. */
export interface Announcement {
  /** The number of guards that know of the change. */
  reached: number;
  /** Settles when the rest of the guards have been called. Keep the request alive until then. */
  rest: Promise<void>;
}

/** Announces a change of the credentials with these access keys, the most important first. Never rejects. */
export async function announce(
  config: Config,
  region: Region,
  accessKeys: readonly string[],
): Promise<Announcement> {
  const waiting = accessKeys.slice(0, MAX_GUARDS);
  let reached = 0;
  const work = async () => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
      if (await reach(config, region, key)) reached++;
    }
  };
  const rest = Promise.all(Array.from({ length: Math.min(CONCURRENCY, waiting.length) }, work));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise((resolve) => {
    timer = setTimeout(resolve, DEADLINE_MS);
  });
  await Promise.race([rest, deadline]);
  clearTimeout(timer);
  return { reached, rest: rest.then(() => undefined) };
}

/** Calls a guard, twice if the first failure is temporary. Resolves to whether it knows of the change. */
async function reach(config: Config, region: Region, accessKey: string): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    try {
      await guardOf(config, region, accessKey).changed();
      return true;
    } catch (error) {
      if (attempt === 0 && isTemporary(error)) continue;
      console.warn(JSON.stringify({ guard: 'not reached', region: region.name, reason: String(error) }));
      return false;
    }
  }
}

/** Announces a change before the response of `c`, and returns the header that reports whether it is in force. */
export async function announceAndReport(
  c: Context<AppEnv>,
  accessKeys: readonly string[],
): Promise<Record<string, string>> {
  const config = c.get('config');
  const { reached, rest } = await announce(config, c.get('region'), accessKeys);
  inBackground(c, 'announcing a change to guards', rest);
  const enforcement = enforcementOf(reached, accessKeys.length, config.guard.lease_seconds);
  return { [ENFORCEMENT_HEADER]: enforcement };
}

/**
 * Returns the value of the header that reports whether a change is in force, which `concerned` guards must know.
 * Guards that were not reached read their row again within the lease.
 */
export function enforcementOf(reached: number, concerned: number, leaseSeconds: number): string {
  return reached === concerned ? 'enforced' : `pending; within=${leaseSeconds + MARGIN_SECONDS}`;
}
