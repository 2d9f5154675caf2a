/**
 * The URL resolver of nats-server: serves account JWTs by id, with a path per region. Public by design, without a
 * token: a JWT is signed and contains only keys and limits. A server asks once per account and caches the response.
 */
import type { Context } from 'hono';
import { Hono } from 'hono';
import { ApiError } from '../shared/errors.ts';
import { type AppEnv, inBackground, useRegion } from '../shared/http.ts';
import { networkOf } from '../shared/rate-limits.ts';
import { getCurrentJwt } from './account-jwts.ts';
import { composeSystemAccountJwt, operatorKey, systemKey } from './accounts.ts';
import { isPublicKey } from './keys.ts';

/** Returns the JWT of an account in the region of the path, with its version; null for an unknown id. */
async function jwtOf(c: Context<AppEnv>, id: string): Promise<{ jwt: string; version: string } | null> {
  const config = c.get('config');
  const region = c.get('region');
  const system = await systemKey(region);
  if (id === system.publicKey) {
    return { jwt: await composeSystemAccountJwt(await operatorKey(config), id), version: '0' };
  }
  return getCurrentJwt(config, region, id, Date.now(), (work) => inBackground(c, 'store account JWT', work));
}

/**
 * Throws 404 for an unknown account, or 429 if its network has asked for too many of them. A limit on all requests
 * would let a flood from one network keep a nats-server there from loading real accounts.
 */
async function refuseUnknownAccount(c: Context<AppEnv>): Promise<never> {
  const { success } = await c.get('config').resolverLimit.limit({ key: networkOf(c) });
  if (!success) throw new ApiError('too_many_requests', {}, { 'Retry-After': '10' });
  throw new ApiError('not_found', { resource: 'endpoint', resource_id: c.req.path });
}

export const resolver = new Hono<AppEnv>()
  .use('/:region/accounts/*', useRegion)
  // A server requests the bare address when it starts, and does not start without a response.
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
