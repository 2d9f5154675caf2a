/**
 * Invitations into an organization, and how they are accepted. The link contains the token; the database stores its
 * SHA-256. An invitation works once: accepting it deletes it in the same batch.
 */
import { sql } from 'drizzle-orm';
import { type AuditContext, auditStatement } from '../audit.ts';
import type { Database } from '../database.ts';
import { type Member, membersOf, selectMembers } from './members.ts';

export interface Invitation {
  userId: string;
  email: string;
  organizationId: string;
  organizationName: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  signsIn: boolean;
}

/** A new invitation. */
export interface NewInvitation {
  /** The id for the person if nobody has the address yet. */
  userId: string;
  organizationId: string;
  /** Lower case. */
  email: string;
  tokenHash: string;
  /**
   * Whether the link is only emailed and never shown to the person who invites: choosing a password through it then
   * verifies the address.
   */
  byMailOnly: boolean;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/**
 * Invites an email address. Creates its user if there is none, and replaces an earlier invitation into this
 * organization. Returns the member; one who has already joined has `joinedAt` and is not changed.
 */
export async function invite(db: Database, audit: AuditContext, invitation: NewInvitation): Promise<Member> {
  const { userId, organizationId, email, tokenHash, byMailOnly, expiresAt } = invitation;
  const { now } = audit;
  const pending = sql`from users u join memberships m on m.user_id = u.id
    where u.email = ${email} and m.organization_id = ${organizationId} and m.joined_at is null`;
  const [, , , , rows] = await db.batch(
    sql`insert into users (id, name, email, email_verified, created_at, updated_at)
      values (${userId}, ${email}, ${email}, 0, ${now}, ${now}) on conflict (email) do nothing`,
    sql`insert into memberships (user_id, organization_id, role, created_at, joined_at)
      select id, ${organizationId}, 'member', ${now}, null from users where email = ${email}
      on conflict (user_id, organization_id) do nothing`,
    sql`insert into invitations (user_id, organization_id, token_hash, by_mail_only, expires_at, created_at)
      select u.id, ${organizationId}, ${tokenHash}, ${byMailOnly ? 1 : 0}, ${expiresAt}, ${now} ${pending}
      on conflict (user_id, organization_id) do update set token_hash = excluded.token_hash,
        by_mail_only = excluded.by_mail_only, expires_at = excluded.expires_at, created_at = excluded.created_at`,
    auditStatement(
      audit,
      {
        organizationId,
        projectId: null,
        action: 'create',
        resource: 'invitations',
        resourceId: sql`u.id`,
        after: sql`json_object('email', u.email, 'role', m.role)`,
      },
      pending,
    ),
    selectMembers(sql`u.email = ${email} and m.organization_id = ${organizationId}`),
  );
  const member = membersOf(rows)[0];
  if (!member) throw new Error('who was invited is not there');
  return member;
}

/** Returns the invitation with this token hash, even if it has expired; null if there is none. */
export async function findInvitation(db: Database, tokenHash: string): Promise<Invitation | null> {
  const [row] = await db.all<Omit<Invitation, 'signsIn'> & { signsIn: 0 | 1 }>(
    sql`select i.user_id as "userId", u.email, i.organization_id as "organizationId", o.name as "organizationName",
        i.expires_at as "expiresAt", exists (select 1 from sign_in_methods s where s.user_id = u.id) as "signsIn"
      from invitations i join users u on u.id = i.user_id join organizations o on o.id = i.organization_id
      where i.token_hash = ${tokenHash}`,
  );
  return row ? { ...row, signsIn: row.signsIn === 1 } : null;
}

/** The name and password hash of a person who could not sign in before. */
export interface NewSignIn {
  name: string;
  passwordHash: string;
}

/**
 * Accepts an invitation: the person joins. With a {@link NewSignIn} they can sign in from then on, and their address is
 * verified if the link was only emailed; otherwise `by` contains the id of their session. Returns false, and changes
 * nothing, if the invitation is gone or expired, the session has ended, or the person of a {@link NewSignIn} can
 * already sign in.
 */
export async function acceptInvitation(
  db: Database,
  audit: AuditContext,
  { tokenHash, userId, organizationId }: { tokenHash: string; userId: string; organizationId: string },
  by: NewSignIn | { sessionId: string },
): Promise<boolean> {
  const { now } = audit;
  const signInId = crypto.randomUUID();
  const signIn = 'passwordHash' in by ? by : undefined;
  const good = sql`exists (select 1 from invitations where token_hash = ${tokenHash} and user_id = ${userId}
      and organization_id = ${organizationId} and expires_at > ${now})
    and ${
      'sessionId' in by
        ? sql`exists (select 1 from sessions where id = ${by.sessionId} and user_id = ${userId} and expires_at > ${now})`
        : sql`not exists (select 1 from sign_in_methods where user_id = ${userId} and id <> ${signInId})`
    }`;
  const results = await db.batch(
    auditStatement(
      audit,
      {
        organizationId,
        projectId: null,
        action: 'create',
        resource: 'users',
        resourceId: userId,
        after: sql`(select json_object('email', u.email, 'role', m.role) from users u join memberships m
          on m.user_id = u.id where u.id = ${userId} and m.organization_id = ${organizationId})`,
      },
      sql`where ${good}`,
    ),
    sql`update memberships set joined_at = ${now}
      where user_id = ${userId} and organization_id = ${organizationId} and joined_at is null and ${good}`,
    ...(signIn
      ? [
          sql`update users set name = ${signIn.name}, updated_at = ${now},
              email_verified = (select by_mail_only from invitations where token_hash = ${tokenHash})
            where id = ${userId} and ${good}`,
          sql`insert into sign_in_methods (id, account_id, provider_id, user_id, password, created_at, updated_at)
            select ${signInId}, ${userId}, 'credential', ${userId}, ${signIn.passwordHash}, ${now}, ${now}
            where ${good}`,
        ]
      : []),
    sql`delete from invitations where token_hash = ${tokenHash} and ${good}`,
  );
  return Boolean(results.at(-1)?.meta.changes);
}
