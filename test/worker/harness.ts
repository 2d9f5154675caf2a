/**
 * What the tests in workerd share: organizations as deployment creates them, a client of the API that sees only what
 * any client sees, and direct sight of a region's database.
 */
import type { D1Database } from '@cloudflare/workers-types';
import { createOrganization, type Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { describeApi } from '../../functions/openapi.ts';
import { env } from './env.ts';

/** Where the API is, for tests. */
export const ORIGIN = 'https://latchkey.test';

/** A fresh organization with its Owner. */
export async function newOwner(): Promise<Owner> {
  const { owner, statements } = await createOrganization({
    organizationName: 'Test',
    email: `${crypto.randomUUID()}@example.com`,
    password: crypto.randomUUID(),
    now: Date.now(),
  });
  await env.IDENTITY.batch(statements.map(({ sql, params }) => env.IDENTITY.prepare(sql).bind(...params)));
  return owner;
}

/** Another project of the Owner's organization. */
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

/** Those of the values that an operation takes in its query: the API refuses the others. `path` is as the router has it. */
export function parametersOf(
  method: string,
  path: string,
  values: Record<string, string>,
): Record<string, string> {
  const operation = document.paths?.[path.replaceAll(/:([a-z_]+)/g, '{$1}')]?.[method.toLowerCase()];
  const names = operation?.parameters?.filter((one) => one.in === 'query').map(({ name }) => name) ?? [];
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}

/** An answer of the API. `body` is the parsed JSON, or null when there is none. */
export interface Answer {
  status: number;
  headers: Headers;
  // The tests read answers as a client without types would.
  body: Record<string, never> & { [member: string]: unknown };
}

/** How a request differs from a plain one of the Owner. */
export interface Call {
  token?: string | null;
  headers?: Record<string, string>;
  /** A string is sent as it is; anything else as JSON. */
  body?: unknown;
  /** The Worker's environment, when not the test's own. */
  env?: typeof env;
}

/** Sends a request to the Worker. */
export async function call(method: string, path: string, { token, headers, body, env: bindings }: Call = {}) {
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

/** The Owner's client of one region: paths below `/mnq/v1beta1/regions/{region}`. */
export function clientOf(owner: Owner, region: string) {
  const at = (path: string) => `/mnq/v1beta1/regions/${region}${path}`;
  const send =
    (method: string) =>
    (path: string, body?: unknown, options: Call = {}) =>
      call(method, at(path), { token: owner.secret_key, ...(body !== undefined && { body }), ...options });
  return { get: send('GET'), post: send('POST'), patch: send('PATCH'), delete: send('DELETE') };
}

/** A browser that is signed in: sends its cookie, and as a page of ours would its origin. */
export interface SignedIn {
  cookie: string;
  get: (path: string, options?: Call) => ReturnType<typeof call>;
  post: (path: string, body?: unknown, options?: Call) => ReturnType<typeof call>;
  patch: (path: string, body?: unknown, options?: Call) => ReturnType<typeof call>;
  delete: (path: string, options?: Call) => ReturnType<typeof call>;
}

/** Sends a POST to sign-in as a page of ours does. */
export const postAuth = (path: string, body: unknown, { headers, ...options }: Call = {}) =>
  call('POST', `/auth${path}`, { body, headers: { Origin: ORIGIN, ...headers }, ...options });

/** Signs in with a password. */
export async function signIn(email: string, password: string): Promise<SignedIn> {
  const answer = await postAuth('/sign-in/email', { email, password });
  if (answer.status !== 200) throw new Error(`signing in answered ${answer.status}`);
  return withCookie(cookieOf(answer.headers));
}

/** The cookie that an answer sets, as a request sends it. */
export const cookieOf = (headers: Headers): string => headers.get('Set-Cookie')?.split(';')[0] ?? '';

/** A browser with this cookie. */
export function withCookie(cookie: string): SignedIn {
  const send = (method: string, path: string, { headers, ...options }: Call = {}) =>
    call(method, path, { headers: { Cookie: cookie, Origin: ORIGIN, ...headers }, ...options });
  return {
    cookie,
    get: (path, options) => send('GET', path, options),
    post: (path, body = {}, options = {}) => send('POST', path, { body, ...options }),
    patch: (path, body = {}, options = {}) => send('PATCH', path, { body, ...options }),
    delete: (path, options) => send('DELETE', path, options),
  };
}

/** The rows of a query in the identity database. */
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

/** A region's database. */
export function databaseOf(region: string): D1Database {
  return region === 'fr-par' ? env.REGION_FR_PAR : env.REGION_NL_AMS;
}

/** The rows of a query in a region's database. */
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

/** The regions and products that every story is told for. */
export const REGIONS = ['fr-par', 'nl-ams'] as const;
