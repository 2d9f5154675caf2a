/** What still works when a database is down: a region takes no other with it, and without identity everything is closed. */
import type { D1Database } from '@cloudflare/workers-types';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../db/identity/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { env } from './env.ts';
import { failing } from './fault.ts';
import { call, clientOf, newOwner, ORIGIN } from './harness.ts';
import { PUBLIC } from './matrix-table.ts';

/** A database that answers nothing, whichever way it is asked. */
const down = (database: D1Database): D1Database =>
  ({
    ...failing(database, /./),
    prepare: () => {
      throw new Error('D1_ERROR: Network connection lost.');
    },
  }) as unknown as D1Database;

const withoutRegion = { ...env, REGION_FR_PAR: down(env.REGION_FR_PAR) };
const withoutIdentity = { ...env, IDENTITY: down(env.IDENTITY) };

/** The routes that need nothing but a region, an organization and a project to be named. */
const READS = [
  ...new Set(
    app.routes
      .filter(({ method, path }) => method === 'GET' && !/:(?!region)/.test(path) && !path.endsWith('*'))
      .map(({ path }) => path)
      .filter((path) => !Object.hasOwn(PUBLIC, `GET ${path}`)),
  ),
];

let owner: Owner;
beforeAll(async () => {
  owner = await newOwner();
});

const read = (path: string, bindings: typeof env) => {
  const { organization_id, project_id } = owner;
  const query = new URLSearchParams({ organization_id, project_id, key: 'LKEY0123456789abcdef' });
  if (path.endsWith('/rules')) query.set('policy_id', crypto.randomUUID());
  return call('GET', `${path.replace(':region', 'fr-par')}?${query}`, {
    token: owner.secret_key,
    env: bindings,
  });
};

describe('with the database of a region down', () => {
  it.each(READS)('%s answers 503 if it is of that region, and otherwise as ever', async (path) => {
    const answer = await read(path, withoutRegion);
    if (path.includes(':region')) {
      expect([answer.status, answer.body.type]).toEqual([503, 'unavailable']);
      expect(answer.headers.get('Retry-After')).toMatch(/^\d+$/);
    } else {
      expect(answer.status).toBe(path.endsWith('/rules') ? 404 : 200);
    }
  });

  it('the other region works, and so does signing in', async () => {
    const options = { env: withoutRegion };
    const api = clientOf(owner, 'nl-ams');
    expect((await api.post('/nats-accounts', { project_id: owner.project_id }, options)).status).toBe(200);
    const { email, password } = owner;
    const signedIn = await call('POST', '/auth/sign-in/email', {
      body: { email, password },
      headers: { Origin: ORIGIN },
      ...options,
    });
    expect(signedIn.status).toBe(200);
  });

  it('a change there is refused, and has not happened when it is back', async () => {
    const api = clientOf(owner, 'fr-par');
    const body = { project_id: owner.project_id, name: 'during the outage' };
    expect((await api.post('/nats-accounts', body, { env: withoutRegion })).status).toBe(503);
    expect((await api.get('/nats-accounts')).body.total_count).toBe(0);
  });
});

describe('with the identity database down', () => {
  it.each(READS)('%s answers 503 and tells nothing', async (path) => {
    const answer = await read(path, withoutIdentity);
    expect([answer.status, Object.keys(answer.body)]).toEqual([503, ['type', 'message']]);
  });

  it('nobody signs in', async () => {
    const { email, password } = owner;
    const answer = await call('POST', '/auth/sign-in/email', {
      body: { email, password },
      headers: { Origin: ORIGIN },
      env: withoutIdentity,
    });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answer.headers.get('Set-Cookie')).toBeNull();
  });

  it('what is public is still there', async () => {
    expect((await call('GET', '/healthz', { env: withoutIdentity })).status).toBe(200);
    expect((await call('GET', '/openapi.json', { env: withoutIdentity })).status).toBe(200);
  });
});
