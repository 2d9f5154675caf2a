/**
 * The members of organizations, invited and joined. The statements make sure that an organization always keeps an Owner
 * who has joined. Invitations are in invitations.ts; permissions are not checked here.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type AuditContext, auditStatement } from '../audit.ts';
import { type Database, rowsOf } from '../database.ts';
import type { Listed } from '../page.ts';

export type Role = 'owner' | 'member';

/** A member of an organization. Times are milliseconds since the epoch. */
export interface Member {
  id: string;
  email: string;
  /** The email address until the person joins. */
  name: string;
  organizationId: string;
  role: Role;
  createdAt: number;
  updatedAt: number;
  /** Null until the person joins. */
  joinedAt: number | null;
  /** When the invitation's link expires; null without one. */
  invitedUntil: number | null;
  /** Whether no other Owner has joined; the last Owner cannot leave. */
  lastOwner: boolean;
}

export interface MemberRef {
  userId: string;
  organizationId: string;
}

export interface MemberPage {
  offset: number;
  limit: number;
  by: 'created_at' | 'updated_at' | 'email';
  direction: 'asc' | 'desc';
}

const anyOf = (ids: readonly string[]): SQL => sql`in (select value from json_each(${JSON.stringify(ids)}))`;

/** Whether another Owner has joined; the arguments are columns or values. */
const anotherOwner = (userId: string | SQL, organizationId: string | SQL): SQL =>
  sql`exists (select 1 from memberships other where other.organization_id = ${organizationId}
    and other.role = 'owner' and other.joined_at is not null and other.user_id <> ${userId})`;

const FROM = sql`from memberships m join users u on u.id = m.user_id
  left join invitations i on i.user_id = m.user_id and i.organization_id = m.organization_id`;

// Hides the person's other data from organizations that have only invited them. It would also reveal that the address
// already has an account.
const UPDATED_AT = 'case when m.joined_at is null then m.created_at else u.updated_at end';

const COLUMNS = sql`u.id, u.email, case when m.joined_at is null then u.email else u.name end as name,
  m.organization_id as "organizationId", m.role, m.created_at as "createdAt",
  ${sql.raw(UPDATED_AT)} as "updatedAt", m.joined_at as "joinedAt", i.expires_at as "invitedUntil",
  m.role = 'owner' and not ${anotherOwner(sql`m.user_id`, sql`m.organization_id`)} as "lastOwner"`;

type MemberRow = Omit<Member, 'lastOwner'> & { lastOwner: 0 | 1 };

const memberOf = (row: MemberRow): Member => ({ ...row, lastOwner: row.lastOwner === 1 });

/** Returns the members from a batch result of {@link selectMembers}. */
export function membersOf(result: Parameters<typeof rowsOf>[0]): Member[] {
  return rowsOf<MemberRow>(result).map(memberOf);
}

/** Returns the statement that selects the members matching `where`, a condition on `m` (membership) and `u` (user). */
export function selectMembers(where: SQL): SQL {
  return sql`select ${COLUMNS} ${FROM} where ${where}`;
}

/** Returns the user's memberships in these organizations. */
export async function findMember(
  db: Database,
  userId: string,
  organizationIds: readonly string[],
): Promise<Member[]> {
  const where = sql`m.user_id = ${userId} and m.organization_id ${anyOf(organizationIds)}`;
  return (await db.all<MemberRow>(selectMembers(where))).map(memberOf);
}

/** Returns a page of the matching members of the organizations and their total count. */
export async function listMembers(
  db: Database,
  filter: {
    organizationIds: readonly string[];
    userIds: readonly string[] | undefined;
    role: Role | undefined;
  },
  page: MemberPage,
): Promise<Listed<Member>> {
  const { organizationIds, userIds, role = null } = filter;
  const where = sql`m.organization_id ${anyOf(organizationIds)} and (${role} is null or m.role = ${role})
    and (${userIds ? 1 : 0} = 0 or m.user_id ${anyOf(userIds ?? [])})`;
  const column = { created_at: 'm.created_at', updated_at: UPDATED_AT, email: 'u.email' }[page.by];
  const order = sql.raw(`${column} ${page.direction}, m.user_id ${page.direction}, m.organization_id`);
  const [rows, totals] = await db.batch(
    sql`${selectMembers(where)} order by ${order} limit ${page.limit} offset ${page.offset}`,
    sql`select count(*) as total ${FROM} where ${where}`,
  );
  return { rows: membersOf(rows), total: rowsOf<{ total: number }>(totals)[0]?.total ?? 0 };
}

/**
 * Sets the role of a member who has joined. Returns the resulting member, or null if there is none. An unchanged role
 * means that the change is not possible: the last Owner cannot be demoted, and an invited person cannot be promoted.
 * Promotion deletes the person's API keys in the organization: someone allowed to manage keys could have created one
 * and kept its secret, which would now be an Owner's.
 */
export async function setRole(
  db: Database,
  audit: AuditContext,
  { userId, organizationId }: MemberRef,
  role: Role,
): Promise<Member | null> {
  const where = sql`user_id = ${userId} and organization_id = ${organizationId}`;
  const changing = sql`${where} and joined_at is not null and role <> ${role}
    and (${role} = 'owner' or ${anotherOwner(userId, organizationId)})`;
  const promoted = sql`${role} = 'owner' and exists (select 1 from memberships where ${changing})`;
  const [, , , , rows] = await db.batch(
    auditStatement(
      audit,
      {
        organizationId,
        projectId: null,
        action: 'update',
        resource: 'users',
        resourceId: userId,
        before: sql`json_object('role', role)`,
        after: sql`json_object('role', ${role})`,
      },
      sql`from memberships where ${changing}`,
    ),
    auditStatement(
      audit,
      {
        organizationId,
        projectId: null,
        action: 'delete',
        resource: 'api_keys',
        resourceId: sql`access_key`,
        before: sql`json_object('description', description, 'user_id', user_id)`,
      },
      sql`from api_keys where ${where} and ${promoted}`,
    ),
    sql`delete from api_keys where ${where} and ${promoted}`,
    sql`update memberships set role = ${role} where ${changing}`,
    selectMembers(sql`m.user_id = ${userId} and m.organization_id = ${organizationId}`),
  );
  return membersOf(rows)[0] ?? null;
}

/**
 * Removes a person from an organization, with their API keys and invitation there, and detaches their policies there.
 * Deletes a person who then has no organization and cannot sign in. Returns whether it happened: not if the role is no
 * longer `role`, and not for the last Owner.
 */
export async function removeMember(
  db: Database,
  audit: AuditContext,
  { userId, organizationId, role }: MemberRef & { role: Role },
): Promise<boolean> {
  const theirs = sql`user_id = ${userId} and organization_id = ${organizationId}`;
  const leaving = sql`exists (select 1 from memberships m where m.user_id = ${userId}
    and m.organization_id = ${organizationId} and m.role = ${role}
    and (m.role = 'member' or m.joined_at is null or ${anotherOwner(userId, organizationId)}))`;
  const audited = { organizationId, projectId: null };
  const [, , , , , , removed] = await db.batch(
    auditStatement(
      audit,
      {
        ...audited,
        action: 'delete',
        resource: 'api_keys',
        resourceId: sql`access_key`,
        before: sql`json_object('description', description, 'user_id', user_id)`,
      },
      sql`from api_keys where ${theirs} and ${leaving}`,
    ),
    auditStatement(
      audit,
      {
        ...audited,
        action: 'update',
        resource: 'policies',
        resourceId: sql`id`,
        before: sql`json_object('name', name, 'user_id', user_id)`,
        after: sql`json_object('name', name, 'user_id', null)`,
      },
      sql`from policies where ${theirs} and ${leaving}`,
    ),
    auditStatement(
      audit,
      {
        ...audited,
        action: 'delete',
        resource: 'users',
        resourceId: userId,
        before: sql`(select json_object('email', u.email, 'role', ${role}) from users u where u.id = ${userId})`,
      },
      sql`where ${leaving}`,
    ),
    sql`delete from api_keys where ${theirs} and ${leaving}`,
    sql`update policies set user_id = null, updated_at = max(${audit.now}, updated_at + 1)
      where ${theirs} and ${leaving}`,
    sql`delete from invitations where ${theirs} and ${leaving}`,
    sql`delete from memberships where ${theirs} and ${leaving}`,
    sql`delete from users where id = ${userId}
      and not exists (select 1 from memberships m where m.user_id = ${userId})
      and not exists (select 1 from sign_in_methods s where s.user_id = ${userId})`,
  );
  return Boolean(removed?.meta.changes);
}
