/**
 * Loads the caller of an API key or session, with its organizations, their projects and the rules that apply to it, in
 * one statement. iam/access/authorize.ts makes the decisions.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';

/** A rule of one of the principal's policies. */
export interface Rule {
  permissionSets: string[];
  /** The projects where they are granted; null for the whole organization. */
  projectIds: string[] | null;
}

/** An organization that the principal acts in. */
export interface Membership {
  organizationId: string;
  /** Null for an application. */
  role: 'owner' | 'member' | null;
  /** All projects, except those being deleted. */
  projectIds: string[];
  /** When a guest's organization expires, in milliseconds since the epoch; null for others. */
  expiresAt: number | null;
  /** The longest time in seconds until new credentials must expire; 0 for no limit. */
  maxCredentialsDuration: number;
  /** The rules that apply to the principal. */
  rules: Rule[];
}

/** The record of a caller. */
export interface CallerRecord {
  type: 'user' | 'application';
  id: string;
  name: string;
  /** Null for a session. */
  accessKey: string | null;
  /** Null for an API key. */
  sessionId: string | null;
  /** Milliseconds since the epoch; null means never. */
  expiresAt: number | null;
  /** When the API key was last used, with a precision of five minutes; null for a session or a key never used. */
  lastUsedAt: number | null;
  memberships: Membership[];
}

interface CallerRow {
  name: string | null;
  user_id: string | null;
  application_id: string | null;
  access_key: string | null;
  session_id: string | null;
  expires_at: number | null;
  last_used_at: number | null;
  memberships: string;
}

/** Returns a membership as a JSON expression; the arguments are columns. */
function membershipOf(organization: string, role: string, policyOf: string): string {
  return `json((select json_object('organizationId', o.id, 'role', ${role}, 'expiresAt', o.expires_at,
    'maxCredentialsDuration', o.max_credentials_duration,
    'projectIds', json((select json_group_array(id) from projects
      where organization_id = ${organization} and status = 'active')),
    'rules', json((select json_group_array(json_object(
        'permissionSets', json(rules.permission_sets), 'projectIds', json(rules.project_ids)))
      from policies join rules on rules.policy_id = policies.id
      where policies.organization_id = ${organization} and ${policyOf})))
    from organizations o where o.id = ${organization}))`;
}

async function loadCaller(db: Database, query: SQL): Promise<CallerRecord | null> {
  const [row] = await db.all<CallerRow>(query);
  const id = row?.user_id ?? row?.application_id;
  if (!row || !id) return null;
  return {
    type: row.user_id === null ? 'application' : 'user',
    id,
    name: row.name ?? '',
    accessKey: row.access_key,
    sessionId: row.session_id,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    memberships: JSON.parse(row.memberships) as Membership[],
  };
}

const KEY_MEMBERSHIP = sql.raw(
  membershipOf(
    'k.organization_id',
    'm.role',
    'case when k.user_id is null then policies.application_id = k.application_id else policies.user_id = k.user_id end',
  ),
);

/** Returns the caller of the API key with this secret hash, or null. It acts only in the key's organization. */
export function findCallerByApiKey(db: Database, secretHash: string): Promise<CallerRecord | null> {
  return loadCaller(
    db,
    sql`select k.user_id, k.application_id, k.access_key, null as session_id, k.expires_at, k.last_used_at,
        coalesce((select name from users where id = k.user_id),
          (select name from applications where id = k.application_id)) as name,
        json_array(${KEY_MEMBERSHIP}) as memberships
      from api_keys k
      left join memberships m on m.user_id = k.user_id and m.organization_id = k.organization_id
      where k.secret_hash = ${secretHash} and (k.application_id is not null or m.joined_at is not null)`,
  );
}

const SESSION_MEMBERSHIP = sql.raw(
  membershipOf('m.organization_id', 'm.role', 'policies.user_id = m.user_id'),
);

/** Returns the caller of the session with this token, or null. It acts in every organization of the user. */
export function findCallerBySession(db: Database, token: string): Promise<CallerRecord | null> {
  return loadCaller(
    db,
    sql`select s.user_id, null as application_id, null as access_key, s.id as session_id, s.expires_at,
        null as last_used_at, (select name from users where id = s.user_id) as name,
        (select json_group_array(${SESSION_MEMBERSHIP}) from memberships m
          where m.user_id = s.user_id and m.joined_at is not null) as memberships
      from sessions s where s.token = ${token}`,
  );
}

/** The display names of a principal and its organizations. */
export interface PrincipalNames {
  /** Null for an application. */
  email: string | null;
  name: string;
  /** Id → name. */
  organizations: Record<string, string>;
}

/** Returns the names of a principal and of these organizations. */
export async function getPrincipalNames(
  db: Database,
  { type, id }: Pick<CallerRecord, 'type' | 'id'>,
  organizationIds: readonly string[],
): Promise<PrincipalNames> {
  const named = type === 'user' ? sql`email, name from users` : sql`null as email, name from applications`;
  const [row] = await db.all<{ email: string | null; name: string; organizations: string }>(
    sql`select (select json_group_object(id, name) from organizations
        where id in (select value from json_each(${JSON.stringify(organizationIds)}))) as organizations, ${named}
      where id = ${id}`,
  );
  return {
    email: row?.email ?? null,
    name: row?.name ?? '',
    organizations: JSON.parse(row?.organizations ?? '{}') as Record<string, string>,
  };
}
