/**
 * Shared by the tests in workerd: organizations as a deployment creates them, a plain HTTP client of the API, and
 * direct access to a region's database.
 */
import { randomBytes, scryptSync } from 'node:crypto';
import type { D1Database } from '@cloudflare/workers-types';
import { insertOrganization } from '../../db/identity/bootstrap.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { hashSecretKey, newApiKey } from '../../functions/iam/principals/api-keys.ts';
import { app } from '../../functions/index.ts';
import { describeApi } from '../../functions/openapi.ts';
import { env } from './env.ts';

/** The origin of the API in tests. */
export const ORIGIN = 'https://latchkey.test';

/** Creates an organization with its Owner, with a cheap password hash. */
export async function newOwner(): Promise<Owner> {
  const organizationId = crypto.randomUUID();
  const email = `${crypto.randomUUID()}@example.com`;
  const password = crypto.randomUUID();
  const { accessKey, secretKey } = newApiKey();
  const statements = insertOrganization({
    organizationId,
    organizationName: 'Test',
    email,
    passwordHash: cheapHash(password),
    apiKey: { accessKey, secretHash: await hashSecretKey(secretKey) },
    now: Date.now(),
  });
  await env.IDENTITY.batch(statements.map(({ sql, params }) => env.IDENTITY.prepare(sql).bind(...params)));
  return {
    organization_id: organizationId,
    project_id: organizationId,
    email,
    password,
    access_key: accessKey,
    secret_key: secretKey,
  };
}

/**
 * Returns a hash of a password that is as cheap as scrypt allows: verifying takes its cost from the hash, and a real one
 * takes a quarter of a second of CPU time.
 */
export function cheapHash(password: string): string {
  const salt = randomBytes(16);
  const key = scryptSync(password, salt, 32, { N: 2, r: 1, p: 1 });
  return ['scrypt', 2, 1, 1, salt.toString('base64'), key.toString('base64')].join(':');
}

/** Creates another project in the Owner's organization. */
export async function newProject(owner: Owner): Promise<string> {
  const id = crypto.randomUUID();
  await env.IDENTITY.prepare(
    `insert into projects (id, organization_id, name, description, status, created_at, updated_at)
     values (?, ?, 'other', '', 'active', ?, ?)`,
  )
    .bind(id, owner.organization_id, Date.now(), Date.now())
    .run();
  return id;
}

const document = describeApi(app, []) as unknown as {
  paths?: Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>;
};

/**
 * Returns the values that an operation accepts in its query; the API rejects unknown ones. `path` is the router's
 * pattern.
 */
export function parametersOf(
  method: string,
  path: string,
  values: Record<string, string>,
): Record<string, string> {
  const operation = document.paths?.[path.replaceAll(/:([a-z_]+)/g, '{$1}')]?.[method.toLowerCase()];
  const names = operation?.parameters?.filter((one) => one.in === 'query').map(({ name }) => name) ?? [];
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}

/** A response of the API. `body` is the parsed JSON, or null if there is none. */
export interface ApiResponse {
  status: number;
  headers: Headers;
  // Untyped on purpose: tests read responses as a client without types does.
  body: Record<string, never> & { [member: string]: unknown };
}

/** Options of a request. */
export interface CallOptions {
  token?: string | null;
  headers?: Record<string, string>;
  /** A string is sent unchanged; anything else as JSON. */
  body?: unknown;
  /** The Worker's environment, if not the test's own. */
  env?: typeof env;
}

/** Sends a request to the Worker. */
export async function call(
  method: string,
  path: string,
  { token, headers, body, env: bindings }: CallOptions = {},
) {
  const request = new Request(new URL(path, ORIGIN), {
    method,
    headers: {
      ...(token && { 'X-Auth-Token': token }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const response = await app.fetch(request, bindings ?? env);
  const text = new TextDecoder().decode(await response.arrayBuffer());
  const isJson = response.headers.get('Content-Type')?.startsWith('application/json');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : null,
  };
}

/** Returns the Owner's client of one region: paths below `/mnq/v1beta1/regions/{region}`. */
export function clientOf(owner: Owner, region: string) {
  const at = (path: string) => `/mnq/v1beta1/regions/${region}${path}`;
  const send =
    (method: string) =>
    (path: string, body?: unknown, options: CallOptions = {}) =>
      call(method, at(path), { token: owner.secret_key, ...(body !== undefined && { body }), ...options });
  return { get: send('GET'), post: send('POST'), patch: send('PATCH'), delete: send('DELETE') };
}

/** A signed-in browser: sends its cookie and a page's origin. */
export interface SignedIn {
  cookie: string;
  get: (path: string, options?: CallOptions) => ReturnType<typeof call>;
  post: (path: string, body?: unknown, options?: CallOptions) => ReturnType<typeof call>;
  patch: (path: string, body?: unknown, options?: CallOptions) => ReturnType<typeof call>;
  delete: (path: string, options?: CallOptions) => ReturnType<typeof call>;
}

/** Sends a POST to `/auth` with a page's origin. */
export const postAuth = (path: string, body: unknown, { headers, ...options }: CallOptions = {}) =>
  call('POST', `/auth${path}`, { body, headers: { Origin: ORIGIN, ...headers }, ...options });

/** Signs in with a password. */
export async function signIn(email: string, password: string): Promise<SignedIn> {
  const response = await postAuth('/sign-in/email', { email, password });
  if (response.status !== 200) throw new Error(`sign-in returned ${response.status}`);
  return withCookie(cookieOf(response.headers));
}

/** Converts a response's Set-Cookie header to a request's Cookie header. */
export const cookieOf = (headers: Headers): string => headers.get('Set-Cookie')?.split(';')[0] ?? '';

/** A browser with this cookie. */
export function withCookie(cookie: string): SignedIn {
  const send = (method: string, path: string, { headers, ...options }: CallOptions = {}) =>
    call(method, path, { headers: { Cookie: cookie, Origin: ORIGIN, ...headers }, ...options });
  return {
    cookie,
    get: (path, options) => send('GET', path, options),
    post: (path, body = {}, options = {}) => send('POST', path, { body, ...options }),
    patch: (path, body = {}, options = {}) => send('PATCH', path, { body, ...options }),
    delete: (path, options) => send('DELETE', path, options),
  };
}

/** Runs a query in the identity database and returns its rows. */
export async function identityRows<Row = Record<string, unknown>>(
  sql: string,
  ...params: unknown[]
): Promise<Row[]> {
  return (
    await env.IDENTITY.prepare(sql)
      .bind(...params)
      .all<Row>()
  ).results;
}

/** Returns a region's database. */
export function databaseOf(region: string): D1Database {
  return region === 'fr-par' ? env.REGION_FR_PAR : env.REGION_NL_AMS;
}

/** Runs a query in a region's database and returns its rows. */
export async function rows<Row = Record<string, unknown>>(
  region: string,
  sql: string,
  ...params: unknown[]
): Promise<Row[]> {
  return (
    await databaseOf(region)
      .prepare(sql)
      .bind(...params)
      .all<Row>()
  ).results;
}

/** Each lifecycle runs for each region and product. */
export const REGIONS = ['fr-par', 'nl-ams'] as const;
