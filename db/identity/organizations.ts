/** The settings of organizations. To read them, see the memberships of callers.ts. */
import { sql } from 'drizzle-orm';
import { type AuditContext, auditStatement } from '../audit.ts';
import type { Database } from '../database.ts';

/**
 * Sets the longest time in seconds until new credentials of the organization must expire; 0 for no limit. Writes nothing
 * if it is already set.
 */
export async function setMaxCredentialsDuration(
  db: Database,
  audit: AuditContext,
  organizationId: string,
  seconds: number,
): Promise<void> {
  const changing = sql`id = ${organizationId} and max_credentials_duration <> ${seconds}`;
  await db.batch(
    auditStatement(
      audit,
      {
        organizationId: sql.raw('id'),
        projectId: null,
        action: 'update',
        resource: 'organizations',
        resourceId: sql.raw('id'),
        before: sql`json_object('max_credentials_duration', max_credentials_duration)`,
        after: sql`json_object('max_credentials_duration', cast(${seconds} as integer))`,
      },
      sql`from organizations where ${changing}`,
    ),
    sql`update organizations set max_credentials_duration = ${seconds},
      updated_at = max(${audit.now}, updated_at + 1) where ${changing}`,
  );
}
