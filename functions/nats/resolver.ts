/**
 * What nats-servers ask for: account JWTs by their id, a path for each region. Public by design (a JWT is signed and
 * names keys and limits only), so that it answers without a token and tells nothing else. A server asks once for each
 * account and keeps the answer.
 */
import type { Context } from 'hono';
import { Hono } from 'hono';
import { getAccountState } from '../../db/region/accounts.ts';
import { type AppEnv, useRegion } from '../app.ts';
import { composeAccountJwt, composeSystemAccountJwt } from './accounts.ts';
import { importSeed, isPublicKey, type SigningKey } from './keys.ts';

const operators = new Map<string, Promise<SigningKey>>();

/** The operator's signing key, imported once for each isolate. */
function operatorOf(c: Context<AppEnv>): Promise<SigningKey> {
  const { operatorSigningSeed } = c.get('config');
  let operator = operators.get(operatorSigningSeed);
  if (!operator) {
    operator = importSeed(operatorSigningSeed);
    operators.set(operatorSigningSeed, operator);
  }
  return operator;
}

/** The account JWT of this id in the region of the path, with the revision it stands for; null for an unknown one. */
async function jwtOf(c: Context<AppEnv>, id: string): Promise<{ jwt: string; revision: number } | null> {
  const operator = await operatorOf(c);
  const { systemSeed } = c.get('region');
  if (id === (await importSeed(systemSeed)).publicKey) {
    return { jwt: await composeSystemAccountJwt(operator, systemSeed), revision: 0 };
  }
  const state = await getAccountState(c.get('store'), id);
  return state && { jwt: await composeAccountJwt(operator, state), revision: state.account.revision };
}

/** The URL resolver of nats-server, below `/jwt/v1`. */
export const resolver = new Hono<AppEnv>()
  .use('/:region/accounts/*', useRegion)
  // A server asks the bare address at its start, and does not start unless it is answered.
  .get('/:region/accounts/', (c) => c.text('', 200))
  .get('/:region/accounts/:id', async (c) => {
    const id = c.req.param('id');
    const found = isPublicKey('account', id) ? await jwtOf(c, id) : null;
    if (!found) return c.notFound();
    const etag = `"${id}-${found.revision}"`;
    const headers = { ETag: etag, 'Cache-Control': 'no-cache' };
    if (c.req.header('If-None-Match') === etag) return c.body(null, 304, headers);
    return c.body(found.jwt, 200, { ...headers, 'Content-Type': 'application/jwt' });
  });
