/**
 * The people of organizations, invited and joined: who they are, what they are there, and how they leave. An
 * organization always keeps an Owner who has joined: the statements themselves see to that. How one comes in is in
 * invitations.ts; what members may do is not decided here.
 */
import { type SQL, sql } from 'drizzle-orm';
import { auditStatement, type Change } from '../audit.ts';
import { type Database, rowsOf } from '../database.ts';
import type { Listed } from '../page.ts';

/** What a member is in an organization. */
export type Role = 'owner' | 'member';

/** Someone in an organization. Times are milliseconds since the epoch. */
export interface Member {
  id: string;
  email: string;
  /** The e-mail address for who is only invited. */
  name: string;
  organizationId: string;
  role: Role;
  createdAt: number;
  updatedAt: number;
  /** Null for who is only invited. */
  joinedAt: number | null;
  /** Until when the invitation's link is good; null without one. */
  invitedUntil: number | null;
  /** Whether no other Owner has joined, so that this one has to stay. */
  lastOwner: boolean;
}

/** Names someone in one organization. */
export interface MemberRef {
  userId: string;
  organizationId: string;
}

/** A page of members: rows before it, rows on it, their order. */
export interface MemberPage {
  offset: number;
  limit: number;
  by: 'created_at' | 'updated_at' | 'email';
  direction: 'asc' | 'desc';
}

const anyOf = (ids: readonly string[]): SQL => sql`in (select value from json_each(${JSON.stringify(ids)}))`;

/** Whether an Owner other than this one has joined; the arguments are columns or values. */
const anotherOwner = (userId: string | SQL, organizationId: string | SQL): SQL =>
  sql`exists (select 1 from memberships other where other.organization_id = ${organizationId}
    and other.role = 'owner' and other.joined_at is not null and other.user_id <> ${userId})`;

const FROM = sql`from memberships m join users u on u.id = m.user_id
  left join invitations i on i.user_id = m.user_id and i.organization_id = m.organization_id`;

// What is known of a person from elsewhere, and that they are known at all, is for organizations that they have joined.
const UPDATED_AT = 'case when m.joined_at is null then m.created_at else u.updated_at end';

const COLUMNS = sql`u.id, u.email, case when m.joined_at is null then u.email else u.name end as name,
  m.organization_id as "organizationId", m.role, m.created_at as "createdAt",
  ${sql.raw(UPDATED_AT)} as "updatedAt", m.joined_at as "joinedAt", i.expires_at as "invitedUntil",
  m.role = 'owner' and not ${anotherOwner(sql`m.user_id`, sql`m.organization_id`)} as "lastOwner"`;

type MemberRow = Omit<Member, 'lastOwner'> & { lastOwner: 0 | 1 };

const memberOf = (row: MemberRow): Member => ({ ...row, lastOwner: row.lastOwner === 1 });

/** The members that a batch's statement of {@link selectMembers} found. */
export function membersOf(result: Parameters<typeof rowsOf>[0]): Member[] {
  return rowsOf<MemberRow>(result).map(memberOf);
}

/** The statement that selects the members for whom `where` holds, a condition on `m` (membership) and `u` (user). */
export function selectMembers(where: SQL): SQL {
  return sql`select ${COLUMNS} ${FROM} where ${where}`;
}

/** The user as a member of those of the organizations that it is in. */
export async function findMember(
  db: Database,
  userId: string,
  organizationIds: readonly string[],
): Promise<Member[]> {
  const where = sql`m.user_id = ${userId} and m.organization_id ${anyOf(organizationIds)}`;
  return (await db.all<MemberRow>(selectMembers(where))).map(memberOf);
}

/** The members of the organizations that match the filters: a page of them, and how many there are. */
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
 * Makes who has joined an Owner or a member. Returns the member as it then is, or null when there is none; a role that
 * is still the old one means that it may not change: the last Owner stays one, and who is only invited becomes none.
 * Who becomes an Owner loses their API keys of the organization: whoever may manage them could have made one and kept
 * its secret, which would now be an Owner's.
 */
export async function setRole(
  db: Database,
  change: Change,
  { userId, organizationId }: MemberRef,
  role: Role,
): Promise<Member | null> {
  const where = sql`user_id = ${userId} and organization_id = ${organizationId}`;
  const changing = sql`${where} and joined_at is not null and role <> ${role}
    and (${role} = 'owner' or ${anotherOwner(userId, organizationId)})`;
  const promoted = sql`${role} = 'owner' and exists (select 1 from memberships where ${changing})`;
  const [, , , , rows] = await db.batch(
    auditStatement(
      change,
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
      change,
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
 * Takes someone out of an organization, with their API keys and invitation there; their policies there are left
 * without a principal, and who then belongs nowhere and cannot sign in is forgotten. Returns whether it happened: not
 * when the role is another than the one given, and not to the last Owner.
 */
export async function removeMember(
  db: Database,
  change: Change,
  { userId, organizationId, role }: MemberRef & { role: Role },
): Promise<boolean> {
  const theirs = sql`user_id = ${userId} and organization_id = ${organizationId}`;
  const leaving = sql`exists (select 1 from memberships m where m.user_id = ${userId}
    and m.organization_id = ${organizationId} and m.role = ${role}
    and (m.role = 'member' or m.joined_at is null or ${anotherOwner(userId, organizationId)}))`;
  const audited = { organizationId, projectId: null };
  const [, , , , , , removed] = await db.batch(
    auditStatement(
      change,
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
      change,
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
      change,
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
    sql`update policies set user_id = null, updated_at = max(${change.now}, updated_at + 1)
      where ${theirs} and ${leaving}`,
    sql`delete from invitations where ${theirs} and ${leaving}`,
    sql`delete from memberships where ${theirs} and ${leaving}`,
    sql`delete from users where id = ${userId}
      and not exists (select 1 from memberships m where m.user_id = ${userId})
      and not exists (select 1 from sign_in_methods s where s.user_id = ${userId})`,
  );
  return Boolean(removed?.meta.changes);
}
