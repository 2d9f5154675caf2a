/** Defines the parameters for changes in a region, so that domain functions do not depend on requests. */
import type { Context } from 'hono';
import type { AuditContext } from '../../db/audit.ts';
import type { Database } from '../../db/database.ts';
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
  const isGuest = c.get('principal').memberships.some(({ expiresAt }) => expiresAt !== null);
  return {
    regionDb: c.get('regionDb'),
    region: c.get('region'),
    sealingKeys,
    accessKeyCheck,
    nats,
    quotas: isGuest ? guests.quotas : quotas,
    guest: isGuest,
    audit: auditContextOf(c),
  };
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
