/** Asks the guard of a request's credentials while the request runs, and compares them with those that were admitted. */
import type { GatewayCredential } from '../../db/region/gateway.ts';
import { admitByGuard, watch } from '../guard/guards.ts';
import type { Config } from '../shared/env.ts';
import { type Action, allows } from './actions.ts';
import { type Caller, isOf, requireInForce } from './authenticate.ts';
import type { Permission } from './call.ts';
import { GatewayError } from './errors.ts';

/**
 * Returns whether admitted credentials have permitted the action ever since, given what they are `now`: false if they
 * could do less at some time. Throws the protocol's denial if they do not permit it.
 */
export function stillPermits(
  { credential: admitted, service, address }: Pick<Caller, 'credential' | 'service' | 'address'>,
  { requires }: Pick<Action, 'requires'>,
  now: GatewayCredential | null,
  time: number,
): boolean {
  const prefix = `${service}Prefix` as const;
  // Another prefix is another activation: the project's resources of the first one are gone.
  if (!isOf(now, service) || now.id !== admitted.id || now[prefix] !== admitted[prefix])
    throw new GatewayError('unknown_key');
  requireInForce(now, address, time);
  if (!allows(requires, now.permissions)) throw new GatewayError('denied');
  return now.version === admitted.version;
}

/** Returns the permission of a caller for an action, as just admitted. */
export function permissionOf(config: Config, caller: Caller, action: Action): Permission {
  const { region, accessKey, credential, from } = caller;
  let { expiresAt } = credential;
  return {
    guarded: from === 'guard',
    async check() {
      const now = await admitByGuard(config, region, accessKey);
      const permits = stillPermits(caller, action, now, Date.now());
      expiresAt = now?.expiresAt ?? null;
      return permits;
    },
    expiresAt: () => expiresAt,
    watch: () => watch(config, region, accessKey),
  };
}
