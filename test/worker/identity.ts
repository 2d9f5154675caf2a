/**
 * Shared by the authorization tests: members of an organization, a client of the IAM API, and faults in the identity
 * database.
 */
import type { D1Database } from '@cloudflare/workers-types';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { type CallOptions, call, identityRows } from './harness.ts';
import { newKey, newUser } from './matrix-callers.ts';

/** A client of the IAM API with this secret key: paths below `/iam/v1alpha1`. */
export function iamOf(token: string) {
  const send =
    (method: string) =>
    (path: string, body?: unknown, options: CallOptions = {}) =>
      call(method, `/iam/v1alpha1${path}`, { token, ...(body !== undefined && { body }), ...options });
  return {
    get: (path: string, options?: CallOptions) => send('GET')(path, undefined, options),
    post: send('POST'),
    patch: send('PATCH'),
    put: send('PUT'),
    delete: (path: string, options?: CallOptions) => send('DELETE')(path, undefined, options),
  };
}

/** A token's user and key. */
export interface Person {
  user_id: string;
  access_key: string;
  secret_key: string;
}

/** Adds a user to the Owner's organization, with an API key. A user who was only invited has `joined: false`. */
export async function newPerson(
  owner: Owner,
  { role = 'member', joined = true }: { role?: 'owner' | 'member'; joined?: boolean } = {},
): Promise<Person> {
  const user_id = await newUser(owner.organization_id, joined);
  await identityRows('update memberships set role = ? where user_id = ?', role, user_id);
  const secret_key = await newKey(owner, { user_id });
  const [key] = await identityRows<{ access_key: string }>(
    'select access_key from api_keys where user_id = ?',
    user_id,
  );
  return { user_id, access_key: key?.access_key ?? '', secret_key };
}

/** Returns the Owner's user ID. */
export async function userIdOf(owner: Owner): Promise<string> {
  const [row] = await identityRows<{ id: string }>('select id from users where email = ?', owner.email);
  return row?.id ?? '';
}

/** Wraps the database so that every statement on the table fails. */
export function failingAt(database: D1Database, table: string): D1Database {
  return {
    withSession: () => {
      const session = database.withSession('first-primary');
      return {
        prepare: (sql: string) => session.prepare(sql.replaceAll(table, `${table}_gone`)),
        batch: session.batch.bind(session),
      };
    },
  } as unknown as D1Database;
}
