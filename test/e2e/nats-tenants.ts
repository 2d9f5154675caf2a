/** Tenants of one nats-server for tests: the NATS account of a new organization's Owner, and a guest's. */
import { createOrganization } from '../../functions/iam/bootstrap.ts';
import type { LocalStack } from './local-stack.ts';

/** A NATS account with creds, and the API calls of its tenant. */
export interface Tenant {
  account: string;
  /** The text of the `.creds` file. */
  content: string;
  /** The credentials' ID. */
  credentials: string;
  projectId: string;
  /** Calls the API as the tenant. Resolves to the status, the headers and the parsed body. */
  call(method: string, path: string, body?: unknown): Promise<ApiResponse>;
}

/** A response of the API. `body` is null if it is empty. */
export interface ApiResponse {
  status: number;
  headers: Headers;
  body: Record<string, never> & { [member: string]: unknown };
}

const AT = '/mnq/v1beta1/regions';

/** A caller of the API, with authentication headers. */
type Caller = Pick<Tenant, 'projectId' | 'call'>;

function callerOf({ stack }: LocalStack, projectId: string, headers: Record<string, string>): Caller {
  return {
    projectId,
    async call(method, path, body) {
      const response = await fetch(stack.origin + path, {
        method,
        headers: { ...headers, 'Content-Type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null };
    },
  };
}

/** Creates a NATS account and creds for a caller. Rejects if the API does. */
async function tenantOf(region: string, caller: Caller): Promise<Tenant> {
  const { body: account } = await created(caller, `${AT}/${region}/nats-accounts`, {
    project_id: caller.projectId,
  });
  const made = await created(caller, `${AT}/${region}/nats-credentials`, { nats_account_id: account.id });
  const { content } = made.body.credentials as unknown as { content: string };
  return { ...caller, account: String(account.id), content, credentials: String(made.body.id) };
}

async function created({ call }: Caller, path: string, body: unknown): Promise<ApiResponse> {
  const response = await call('POST', path, body);
  if (response.status !== 200)
    throw new Error(`POST ${path}: ${response.status} ${JSON.stringify(response.body)}`);
  return response;
}

/** Returns a caller that is the Owner of a new organization. */
export async function newOwner(local: LocalStack): Promise<Caller> {
  const { owner, statements } = await createOrganization({
    organizationName: 'Another',
    email: `${crypto.randomUUID()}@example.com`,
    password: crypto.randomUUID(),
    now: Date.now(),
  });
  const identity = await local.stack.database('IDENTITY');
  await identity.batch(statements.map(({ sql, params }) => identity.prepare(sql).bind(...params)));
  return callerOf(local, owner.project_id, { 'X-Auth-Token': owner.secret_key });
}

/** Returns a caller that is a new guest. */
export async function newGuest(local: LocalStack): Promise<Caller> {
  const { origin } = local.stack;
  const response = await fetch(`${origin}/auth/guest`, { method: 'POST', headers: { Origin: origin } });
  if (!response.ok) throw new Error(`POST /auth/guest returned ${response.status}`);
  const Cookie = response.headers.get('Set-Cookie')?.split(';')[0] ?? '';
  const { project_id } = (await response.json()) as { project_id: string };
  return callerOf(local, project_id, { Origin: origin, Cookie });
}

/** Creates a tenant in a new organization. */
export const newTenant = async (local: LocalStack, region: string) => tenantOf(region, await newOwner(local));

/** Creates a guest with an account. */
export const newGuestTenant = async (local: LocalStack, region: string) =>
  tenantOf(region, await newGuest(local));
