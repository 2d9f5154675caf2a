/** Defines the parameters for changes in a region, so that domain functions do not depend on requests. */
import type { Context } from 'hono';
import type { AuditContext } from '../../db/audit.ts';
import type { Database } from '../../db/database.ts';
import type { LatestExpiries } from '../../db/region/fragments.ts';
import type { AccessKeyCheck } from './access-keys.ts';
import type { NatsSettings, Quotas, Region, SealingKey } from './env.ts';
import type { AppEnv, Principal } from './http.ts';

/** The context of one change in one region. */
export interface WriteContext {
  regionDb: Database;
  region: Region;
  sealingKeys: readonly SealingKey[];
  accessKeyCheck: AccessKeyCheck;
  nats: NatsSettings;
  quotas: Quotas;
  /** Whether a guest makes the change. */
  guest: boolean;
  /** Organization → the longest time in seconds until new credentials must expire. Others have no limit. */
  maxDurations: ReadonlyMap<string, number>;
  audit: AuditContext;
}

/** Returns the data for a change's audit row: actor, address and time. The actor is the caller by default. */
export function auditContextOf(
  c: Context<AppEnv>,
  { type, id, accessKey }: Pick<Principal, 'type' | 'id' | 'accessKey'> = c.get('principal'),
): AuditContext {
  return {
    now: Date.now(),
    actorType: type,
    actorId: id,
    actorKey: accessKey,
    address: c.req.header('CF-Connecting-IP') ?? null,
    requestId: c.get('requestId'),
  };
}

/** Returns the context for a change by the caller in the region of the path. */
export function writeContextOf(c: Context<AppEnv>): WriteContext {
  const { sealingKeys, accessKeyCheck, nats, quotas, guests } = c.get('config');
  const { memberships } = c.get('principal');
  const isGuest = memberships.some(({ expiresAt }) => expiresAt !== null);
  const limited = memberships.filter(({ maxCredentialsDuration }) => maxCredentialsDuration > 0);
  return {
    regionDb: c.get('regionDb'),
    region: c.get('region'),
    sealingKeys,
    accessKeyCheck,
    nats,
    quotas: isGuest ? guests.quotas : quotas,
    guest: isGuest,
    maxDurations: new Map(limited.map((one) => [one.organizationId, one.maxCredentialsDuration])),
    audit: auditContextOf(c),
  };
}

/** Clients compute an expiry with their own clocks. */
const CLOCK_TOLERANCE_MS = 60_000;

/**
 * Returns the latest expiry of credentials that a change can set. The limits are those of the request's authentication:
 * the identity database and the region's have no common transaction, so a change of a limit applies to the requests that
 * arrive after it, as a change of permissions does.
 */
export function latestExpiriesOf({
  maxDurations,
  audit,
}: Pick<WriteContext, 'maxDurations' | 'audit'>): LatestExpiries {
  return Object.fromEntries(
    [...maxDurations].map(([id, seconds]) => [id, audit.now + seconds * 1000 + CLOCK_TOLERANCE_MS]),
  );
}

/** Returns the data for the audit row of a scheduled change. */
export function systemAuditContext(): AuditContext {
  return {
    now: Date.now(),
    actorType: 'system',
    actorId: 'schedule',
    actorKey: null,
    address: null,
    requestId: crypto.randomUUID(),
  };
}
