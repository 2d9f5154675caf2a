/**
 * What nats-servers ask for: account JWTs by their id, a path for each region. Public by design (a JWT is signed and
 * names keys and limits only), so that it answers without a token and tells nothing else. A server asks once for each
 * account and keeps the answer.
 */
import type { Context } from 'hono';
import { Hono } from 'hono';
import { getAccountState } from '../../db/region/enforcement.ts';
import { type AppEnv, useRegion } from '../app.ts';
import { ApiError } from '../errors.ts';
import { networkOf } from '../iam/limits.ts';
import { composeAccountJwt, composeSystemAccountJwt, leaseEnd, operatorKey, systemKey } from './accounts.ts';
import { isPublicKey } from './keys.ts';

/** The account JWT of this id in the region of the path, and what it stands for; null for an unknown one. */
async function jwtOf(c: Context<AppEnv>, id: string): Promise<{ jwt: string; version: string } | null> {
  const config = c.get('config');
  const [operator, system] = await Promise.all([operatorKey(config), systemKey(c.get('region'))]);
  if (id === system.publicKey) return { jwt: await composeSystemAccountJwt(operator, id), version: '0' };
  const state = await getAccountState(c.get('store'), id);
  if (!state) return null;
  const now = Date.now();
  const jwt = await composeAccountJwt(operator, state, config.nats, now);
  return { jwt, version: `${state.account.revision}-${leaseEnd(config.nats, now) ?? 0}` };
}

/**
 * Throws 404 for an id that no account has, or 429 when its network has asked for too many of those. A limit on all
 * requests would let a flood from one network keep a nats-server there from loading accounts that exist.
 */
async function refuseUnknownAccount(c: Context<AppEnv>): Promise<never> {
  const { success } = await c.get('config').resolverLimit.limit({ key: networkOf(c) });
  if (!success) throw new ApiError('too_many_requests', {}, { 'Retry-After': '10' });
  throw new ApiError('not_found', { resource: 'endpoint', resource_id: c.req.path });
}

/** The URL resolver of nats-server, below `/jwt/v1`. */
export const resolver = new Hono<AppEnv>()
  .use('/:region/accounts/*', useRegion)
  // A server asks the bare address at its start, and does not start unless it is answered.
  .get('/:region/accounts/', (c) => c.text('', 200))
  .get('/:region/accounts/:id', async (c) => {
    const id = c.req.param('id');
    const found = isPublicKey('account', id) ? await jwtOf(c, id) : null;
    if (!found) return refuseUnknownAccount(c);
    const etag = `"${id}-${found.version}"`;
    const headers = { ETag: etag, 'Cache-Control': 'no-cache' };
    if (c.req.header('If-None-Match') === etag) return c.body(null, 304, headers);
    return c.body(found.jwt, 200, { ...headers, 'Content-Type': 'application/jwt' });
  });
