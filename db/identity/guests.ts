/**
 * Guests: people who try the product without an account. Each gets an organization, a project and a session that expire
 * together. A scheduled job removes their resources in the regions before these rows.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type AuditContext, auditStatement } from '../audit.ts';
import type { Database } from '../database.ts';
import { insertSession, type NewSession } from './sessions.ts';

/** A new guest: ids, a session whose expiry applies to everything, and the permission set granted in the project. */
export interface NewGuest {
  organizationId: string;
  userId: string;
  projectId: string;
  session: NewSession;
  permissionSet: string;
}

/** Creates a guest, all or nothing. Returns false, and changes nothing, if there are already `maxGuests` guests. */
export async function createGuest(
  db: Database,
  audit: AuditContext,
  guest: NewGuest,
  maxGuests: number,
): Promise<boolean> {
  const { organizationId, userId, projectId, session } = guest;
  const { now } = audit;
  const policyId = crypto.randomUUID();
  const insert = (table: string, row: Record<string, string | number | null>, where: SQL) => {
    const columns = sql.raw(Object.keys(row).join(', '));
    const values = sql.join(
      Object.values(row).map((value) => sql`${value}`),
      sql`, `,
    );
    return sql`insert into ${sql.raw(table)} (${columns}) select ${values} where ${where}`;
  };
  const admitted = sql`exists (select 1 from organizations where id = ${organizationId})`;
  const times = { created_at: now, updated_at: now };
  const [created] = await db.batch(
    insert(
      'organizations',
      { id: organizationId, name: 'Guest', expires_at: session.expiresAt, ...times },
      sql`(select count(*) from organizations where expires_at > ${now}) < ${maxGuests}`,
    ),
    insert(
      'users',
      { id: userId, name: 'Guest', email: `guest-${userId}@guest.invalid`, email_verified: 0, ...times },
      admitted,
    ),
    insert(
      'memberships',
      {
        user_id: userId,
        organization_id: organizationId,
        role: 'member',
        created_at: now,
        joined_at: now,
      },
      admitted,
    ),
    insert(
      'projects',
      {
        id: projectId,
        organization_id: organizationId,
        name: 'sandbox',
        description: '',
        status: 'active',
        ...times,
      },
      admitted,
    ),
    insert(
      'policies',
      {
        id: policyId,
        organization_id: organizationId,
        name: 'sandbox',
        description: '',
        user_id: userId,
        ...times,
      },
      admitted,
    ),
    insert(
      'rules',
      {
        id: crypto.randomUUID(),
        policy_id: policyId,
        position: 0,
        permission_sets: JSON.stringify([guest.permissionSet]),
        project_ids: JSON.stringify([projectId]),
      },
      admitted,
    ),
    insertSession(session, userId, sql`where ${admitted}`),
    auditStatement(
      audit,
      {
        organizationId,
        projectId,
        action: 'create',
        resource: 'organizations',
        resourceId: organizationId,
        after: sql`json_object('name', 'Guest')`,
      },
      sql`where ${admitted}`,
    ),
  );
  return Boolean(created?.meta.changes);
}

export interface ExpiredGuest {
  organizationId: string;
  projectIds: string[];
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** Returns at most `limit` expired guests, the earliest expiry first. */
export async function listExpiredGuests(db: Database, now: number, limit: number): Promise<ExpiredGuest[]> {
  const rows = await db.all<{ id: string; projects: string; expires_at: number }>(
    sql`select id, expires_at, (select json_group_array(projects.id) from projects where organization_id = organizations.id)
        as projects
      from organizations where expires_at <= ${now} order by expires_at limit ${limit}`,
  );
  return rows.map(({ id, projects, expires_at }) => ({
    organizationId: id,
    expiresAt: expires_at,
    projectIds: JSON.parse(projects) as string[],
  }));
}

/**
 * Removes an expired guest whose resources in the regions are gone; the audit trail stays. Changes nothing if the
 * organization is not a guest's or has not expired.
 */
export async function deleteGuest(db: Database, audit: AuditContext, organizationId: string): Promise<void> {
  const over = sql`exists (select 1 from organizations
    where id = ${organizationId} and expires_at <= ${audit.now})`;
  const guest = sql`organization_id = ${organizationId} and ${over}`;
  const members = sql`(select user_id from memberships where ${guest})`;
  await db.batch(
    auditStatement(
      audit,
      {
        organizationId,
        projectId: null,
        action: 'delete',
        resource: 'organizations',
        resourceId: organizationId,
        before: sql`json_object('name', name)`,
      },
      sql`from organizations where id = ${organizationId} and ${over}`,
    ),
    sql`delete from policies where ${guest}`,
    sql`delete from projects where ${guest}`,
    sql`delete from users where id in ${members} and email like 'guest-%@guest.invalid'`,
    sql`delete from organizations where id = ${organizationId} and ${over}`,
  );
}
