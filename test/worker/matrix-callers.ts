/** The callers of the access matrix, inserted into the identity database with their permissions. */
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { env } from './env.ts';
import { call, newOwner, ORIGIN } from './harness.ts';
import type { Caller } from './matrix-table.ts';

/** The area of a route. It decides which permission sets the callers have. */
export type Area = 'nats' | 'sqs' | 'sns' | 'project' | 'iam' | 'audit_trail';

const SETS: Record<Area, { reader: string; full: string; other: string }> = {
  nats: { reader: 'NATSReadOnly', full: 'NATSFullAccess', other: 'QueuesFullAccess' },
  sqs: { reader: 'QueuesReadOnly', full: 'QueuesFullAccess', other: 'TopicsAndEventsFullAccess' },
  sns: {
    reader: 'TopicsAndEventsReadOnly',
    full: 'TopicsAndEventsFullAccess',
    other: 'NATSFullAccess',
  },
  project: { reader: 'ProjectReadOnly', full: 'ProjectManager', other: 'IAMManager' },
  iam: { reader: 'IAMReadOnly', full: 'IAMManager', other: 'MessagingAndQueuingFullAccess' },
  audit_trail: { reader: 'AuditTrailReadOnly', full: 'AuditTrailReadOnly', other: 'IAMManager' },
};

type Row = Record<string, string | number | null>;

/** Inserts a row into a table of the identity database. */
export async function insert(table: string, row: Row): Promise<void> {
  const names = Object.keys(row);
  await env.IDENTITY.prepare(
    `insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
  )
    .bind(...Object.values(row))
    .run();
}

const times = { created_at: 1, updated_at: 1 };

/** Inserts a user without a password: a member of the organization if `joined`, otherwise invited. */
export async function newUser(organizationId: string, joined = true): Promise<string> {
  const id = crypto.randomUUID();
  await insert('users', { id, name: id, email: `${id}@example.com`, email_verified: 0, ...times });
  await insert('memberships', {
    user_id: id,
    organization_id: organizationId,
    role: 'member',
    created_at: 1,
    joined_at: joined ? 1 : null,
  });
  return id;
}

/** Inserts an unused session of the user and returns its ID. */
export async function newSession({ email }: Owner): Promise<string> {
  const id = crypto.randomUUID();
  await env.IDENTITY.prepare(
    `insert into sessions (id, token, user_id, expires_at, created_at, updated_at)
     select ?1, ?1, id, ?2, 1, 1 from users where email = ?3`,
  )
    .bind(id, Date.now() + 60_000, email)
    .run();
  return id;
}

/** Inserts an application and returns its ID. */
export async function newApplication(organizationId: string): Promise<string> {
  const id = crypto.randomUUID();
  await insert('applications', { id, organization_id: organizationId, name: id, description: '', ...times });
  return id;
}

/** Returns a new, unused access key. */
export const newAccessKey = () => `SCW${crypto.randomUUID().replaceAll('-', '').toUpperCase().slice(0, 17)}`;

type Principal = { user_id: string } | { application_id: string };

/** Inserts an API key and returns its secret key. */
export async function newKey(
  owner: Owner,
  principal: Principal,
  expiresAt: number | null = null,
): Promise<string> {
  const secret = crypto.randomUUID();
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret));
  await insert('api_keys', {
    access_key: newAccessKey(),
    secret_hash: Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join(''),
    organization_id: owner.organization_id,
    ...principal,
    description: '',
    default_project_id: owner.project_id,
    expires_at: expiresAt,
    ...times,
  });
  return secret;
}

/** Inserts a policy with one rule. A null `projectId` grants it in the whole organization. */
export async function grant(owner: Owner, principal: Principal, set: string, projectId: string | null) {
  const id = crypto.randomUUID();
  const common = { id, organization_id: owner.organization_id, name: id, description: '' };
  await insert('policies', { ...common, ...principal, ...times });
  await insert('rules', {
    id: crypto.randomUUID(),
    policy_id: id,
    position: 0,
    permission_sets: JSON.stringify([set]),
    project_ids: projectId && JSON.stringify([projectId]),
  });
}

/** Caller → the headers of its requests. */
export type Callers = Record<Caller, Record<string, string>>;

/** Creates every caller of an area of the owner's organization. `elsewhere` is another project of it. */
export async function newCallers(
  owner: Owner,
  area: Area,
  elsewhere: string,
  cookie: string,
): Promise<Callers> {
  const { organization_id } = owner;
  const { reader, full, other } = SETS[area];
  const member = async (set?: string, projectId: string | null = null) => {
    const user_id = await newUser(organization_id);
    if (set) await grant(owner, { user_id }, set, projectId);
    return { 'X-Auth-Token': await newKey(owner, { user_id }) };
  };
  const application_id = await newApplication(organization_id);
  await grant(owner, { application_id }, full, null);
  const gone = await newKey(owner, { application_id });
  await env.IDENTITY.prepare(
    'delete from api_keys where secret_hash = (select secret_hash from api_keys order by rowid desc limit 1)',
  ).run();
  const ownerOf = await newOwner();
  return {
    none: {},
    malformed: { 'X-Auth-Token': 'nonsense' },
    unknown: { 'X-Auth-Token': crypto.randomUUID() },
    expired: { 'X-Auth-Token': await newKey(owner, { application_id }, Date.now() - 1) },
    revoked: { 'X-Auth-Token': gone },
    member: await member(),
    reader: await member(reader),
    other: await member(other),
    elsewhere: await member(full, elsewhere),
    full: await member(full),
    app: { 'X-Auth-Token': await newKey(owner, { application_id }) },
    owner: { 'X-Auth-Token': owner.secret_key },
    foreign: { 'X-Auth-Token': ownerOf.secret_key },
    session: { Cookie: cookie, Origin: ORIGIN },
    cross: { Cookie: cookie, Origin: 'https://evil.test' },
  };
}

/** Signs the Owner in and returns the session cookie. */
export async function signIn({ email, password }: Owner): Promise<string> {
  const response = await call('POST', '/auth/sign-in/email', {
    body: { email, password },
    headers: { Origin: ORIGIN },
  });
  return response.headers.get('Set-Cookie')?.split(';')[0] ?? '';
}
