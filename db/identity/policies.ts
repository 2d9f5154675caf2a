/**
 * Policies and their rules. iam/policies/rules.ts validates permission sets and projects; the statements here check that the
 * principal belongs to the organization. callers.ts reads a caller's rules.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type AuditContext, auditStatement } from '../audit.ts';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import type { Listed, Page } from '../page.ts';
import { type Access, contains, inList, inListIfPresent, listPage, tagContains } from './fragments.ts';
import { policies, rules } from './schema.ts';

/** A row of `policies` with totals of its rules. `tags` is a JSON array. */
export type Policy = typeof policies.$inferSelect & {
  rules: number;
  /** Distinct projects of the rules; the organization counts as one more. */
  scopes: number;
  /** Distinct permission sets of the rules. */
  permissionSets: number;
};

/** `permissionSets` and `projectIds` are JSON arrays. */
export type RuleRow = typeof rules.$inferSelect;

export interface NewRule {
  id: string;
  permissionSets: string[];
  /** Null for the whole organization. */
  projectIds: string[] | null;
}

/** The principal of a policy; none if both are null. */
export interface PolicyPrincipal {
  userId: string | null;
  applicationId: string | null;
}

export interface NewPolicy extends PolicyPrincipal {
  id: string;
  organizationId: string;
  name: string;
  description: string;
  tags: string[];
  rules: NewRule[];
}

/** The fields of a policy that can change; undefined keeps the value. */
export interface PolicyFields {
  name: string | undefined;
  description: string | undefined;
  tags: string[] | undefined;
  principal: PolicyPrincipal | undefined;
}

const COLUMNS = sql`${columnsOf(policies, 'policies')},
  (select count(*) from rules where rules.policy_id = policies.id) as rules,
  (select count(distinct scope.value)
    from rules, json_each(coalesce(rules.project_ids, json_array('organization'))) as scope
    where rules.policy_id = policies.id) as scopes,
  (select count(distinct granted.value) from rules, json_each(rules.permission_sets) as granted
    where rules.policy_id = policies.id) as "permissionSets"`;

/** The rules of a policy that match `where`, as JSON for the audit trail. */
const rulesAsJson = (projectIds: SQL, where: SQL) =>
  sql`(select json_group_array(json_object(
    'permission_set_names', json(rules.permission_sets), 'project_ids', json(${projectIds}))
    order by rules.position)
  from rules where rules.policy_id = policies.id and ${where})`;

const RULES = rulesAsJson(sql.raw('rules.project_ids'), sql`true`);

/** The value of {@link RULES} for these rules. */
const rulesText = (wanted: readonly NewRule[]) =>
  JSON.stringify(
    wanted.map((rule) => ({ permission_set_names: rule.permissionSets, project_ids: rule.projectIds })),
  );

/** The JSON of a policy in the audit trail, without its rules. */
const HEAD = sql.raw(`json_object('name', name, 'description', description, 'tags', json(tags),
  'user_id', user_id, 'application_id', application_id)`);

/** The JSON of a policy in the audit trail, for a change to its rules or a deletion. */
export const POLICY = sql`json_set(${HEAD}, '$.rules', json(${RULES}))`;

/** The audit columns that come from the policy's own row. */
export const auditedPolicy = {
  organizationId: sql.raw('organization_id'),
  projectId: null,
  resource: 'policies',
  resourceId: sql.raw('id'),
};

const selectWhere = (where: SQL) => sql`select ${COLUMNS} from policies where ${where}`;

/**
 * Whether the principal belongs to the organization (a column or a value), if only as an invited member. True for no
 * principal.
 */
const principalBelongs = ({ userId, applicationId }: PolicyPrincipal, organizationId: SQL): SQL => {
  if (userId !== null) {
    return sql`exists (select 1 from memberships
      where memberships.user_id = ${userId} and memberships.organization_id = ${organizationId})`;
  }
  if (applicationId === null) return sql`true`;
  return sql`exists (select 1 from applications
    where applications.id = ${applicationId} and applications.organization_id = ${organizationId})`;
};

const insertRules = (wanted: readonly NewRule[], policyId: string, where: SQL): SQL =>
  sql`insert into rules (id, policy_id, position, permission_sets, project_ids)
    select rule.value ->> 'id', ${policyId}, rule.key, rule.value ->> 'permissionSets', rule.value ->> 'projectIds'
    from json_each(${JSON.stringify(wanted)}) as rule where ${where}`;

/** Creates a policy with its rules. Returns its row, or null if its principal does not belong to its organization. */
export async function createPolicy(
  db: Database,
  audit: AuditContext,
  policy: NewPolicy,
): Promise<Policy | null> {
  const [, , , rows] = await db.batch(
    sql`insert into policies (id, organization_id, name, description, tags, user_id, application_id, created_at,
        updated_at)
      select ${policy.id}, ${policy.organizationId}, ${policy.name}, ${policy.description}, ${JSON.stringify(policy.tags)},
        ${policy.userId}, ${policy.applicationId}, ${audit.now}, ${audit.now}
      where ${principalBelongs(policy, sql`${policy.organizationId}`)}`,
    insertRules(policy.rules, policy.id, sql`exists (select 1 from policies where id = ${policy.id})`),
    auditStatement(
      audit,
      { ...auditedPolicy, action: 'create', after: POLICY },
      sql`from policies where id = ${policy.id}`,
    ),
    selectWhere(sql`id = ${policy.id}`),
  );
  return rowsOf<Policy>(rows)[0] ?? null;
}

/** Returns the policy, or null if these organizations have none with that id. */
export async function getPolicy(
  db: Database,
  id: string,
  organizationIds: readonly string[],
): Promise<Policy | null> {
  const rows = await db.all<Policy>(
    selectWhere(sql`id = ${id} and ${inList('organization_id', organizationIds)}`),
  );
  return rows[0] ?? null;
}

/** Returns a page of the matching policies of the organizations. */
export function listPolicies(
  db: Database,
  filter: {
    organizationIds: readonly string[];
    ids: readonly string[] | undefined;
    /** Ids of users and applications; matches the policies of any of them. */
    principalIds: readonly string[] | undefined;
    noPrincipal: boolean | undefined;
    name: string | undefined;
    tag: string | undefined;
  },
  page: Page,
): Promise<Listed<Policy>> {
  const { noPrincipal = null } = filter;
  const where = sql`${inList('organization_id', filter.organizationIds)} and ${inListIfPresent('id', filter.ids)}
    and ${inListIfPresent('coalesce(user_id, application_id)', filter.principalIds)}
    and (${noPrincipal} is null or ${noPrincipal} = (coalesce(user_id, application_id) is null))
    and ${contains('name', filter.name)} and ${tagContains('tags', filter.tag)}`;
  return listPage(db, { table: 'policies', columns: COLUMNS, where }, page);
}

/**
 * Changes a policy, except its rules. Returns the resulting row if the caller can see it, else null. If the new
 * principal does not belong to the organization, nothing changes, and the returned row has another principal.
 */
export async function updatePolicy(
  db: Database,
  audit: AuditContext,
  id: string,
  access: Access,
  fields: PolicyFields,
): Promise<Policy | null> {
  const { principal } = fields;
  const user = principal ? sql`${principal.userId}` : sql.raw('user_id');
  const application = principal ? sql`${principal.applicationId}` : sql.raw('application_id');
  const name = sql`coalesce(${fields.name ?? null}, name)`;
  const description = sql`coalesce(${fields.description ?? null}, description)`;
  const tags = sql`coalesce(${fields.tags ? JSON.stringify(fields.tags) : null}, tags)`;
  const same = sql`user_id is ${user} and application_id is ${application}`;
  const changing = sql`id = ${id} and ${inList('organization_id', access.writable)}
    and ((name, description, tags) <> (${name}, ${description}, ${tags}) or not (${same}))
    and ((${same}) or ${principal ? principalBelongs(principal, sql.raw('policies.organization_id')) : sql`true`})`;
  const [, , rows] = await db.batch(
    auditStatement(
      audit,
      {
        ...auditedPolicy,
        action: 'update',
        before: HEAD,
        after: sql`json_object('name', ${name}, 'description', ${description}, 'tags', json(${tags}),
          'user_id', ${user}, 'application_id', ${application})`,
      },
      sql`from policies where ${changing}`,
    ),
    sql`update policies set name = ${name}, description = ${description}, tags = ${tags}, user_id = ${user},
        application_id = ${application}, updated_at = max(${audit.now}, updated_at + 1)
      where ${changing}`,
    selectWhere(sql`id = ${id} and ${inList('organization_id', access.readable)}`),
  );
  return rowsOf<Policy>(rows)[0] ?? null;
}

/** Deletes a policy if the caller can. Returns the previous row if the caller can see it, else null. */
export async function deletePolicy(
  db: Database,
  audit: AuditContext,
  id: string,
  access: Access,
): Promise<Policy | null> {
  const deletable = sql`id = ${id} and ${inList('organization_id', access.writable)}`;
  const [rows] = await db.batch(
    selectWhere(sql`id = ${id} and ${inList('organization_id', access.readable)}`),
    auditStatement(
      audit,
      { ...auditedPolicy, action: 'delete', before: POLICY },
      sql`from policies where ${deletable}`,
    ),
    sql`delete from policies where ${deletable}`,
  );
  return rowsOf<Policy>(rows)[0] ?? null;
}

/**
 * Returns statements that remove a project from the rules of its organization, with an audit row per policy. A rule
 * with no other project is deleted: without projects it would apply to the whole organization. `projectId` is an
 * expression; if it is null, nothing happens.
 */
export function removeProjectFromRules(audit: AuditContext, projectId: SQL): SQL[] {
  const organization = sql`organization_id = (select organization_id from projects where id = ${projectId})`;
  const naming = sql`exists (select 1 from json_each(rules.project_ids) where value = ${projectId})`;
  const others = sql`(select json_group_array(value) from json_each(rules.project_ids) where value <> ${projectId})`;
  const policiesNaming = sql`${organization}
    and exists (select 1 from rules where rules.policy_id = policies.id and ${naming})`;
  const rulesNaming = sql`policy_id in (select id from policies where ${organization}) and ${naming}`;
  const left = rulesAsJson(
    sql`iif(rules.project_ids is null, null, ${others})`,
    sql`(rules.project_ids is null or ${others} <> '[]')`,
  );
  return [
    auditStatement(
      audit,
      {
        ...auditedPolicy,
        action: 'update',
        before: sql`json_object('name', name, 'rules', json(${RULES}))`,
        after: sql`json_object('name', name, 'rules', json(${left}))`,
      },
      sql`from policies where ${policiesNaming}`,
    ),
    sql`update policies set updated_at = max(${audit.now}, updated_at + 1) where ${policiesNaming}`,
    sql`delete from rules where ${rulesNaming} and ${others} = '[]'`,
    sql`update rules set project_ids = ${others} where ${rulesNaming}`,
  ];
}

const rulesOf = (policyId: string, rest = sql``): SQL =>
  sql`select ${columnsOf(rules, 'rules')} from rules where policy_id = ${policyId} order by position ${rest}`;

/** Returns a page of a policy's rules in order, or null if these organizations have no policy with that id. */
export async function listRules(
  db: Database,
  policyId: string,
  organizationIds: readonly string[],
  { offset, limit }: Pick<Page, 'offset' | 'limit'>,
): Promise<{ policy: Policy; rows: RuleRow[] } | null> {
  const [found, rows] = await db.batch(
    selectWhere(sql`id = ${policyId} and ${inList('organization_id', organizationIds)}`),
    rulesOf(policyId, sql`limit ${limit} offset ${offset}`),
  );
  const policy = rowsOf<Policy>(found)[0];
  return policy ? { policy, rows: rowsOf<RuleRow>(rows) } : null;
}

/**
 * Replaces the rules of a policy in `access.writable`; equal rules change nothing. Returns the resulting policy with
 * its rules if the caller can see it, else null.
 */
export async function replaceRules(
  db: Database,
  audit: AuditContext,
  policyId: string,
  access: Access,
  wanted: readonly NewRule[],
): Promise<{ policy: Policy; rows: RuleRow[] } | null> {
  const text = rulesText(wanted);
  const writable = sql`id = ${policyId} and ${inList('organization_id', access.writable)}`;
  const changing = sql`${writable} and ${RULES} <> ${text}`;
  const [, , , , found, rows] = await db.batch(
    auditStatement(
      audit,
      {
        ...auditedPolicy,
        action: 'update',
        before: sql`json_object('name', name, 'rules', json(${RULES}))`,
        after: sql`json_object('name', name, 'rules', json(${text}))`,
      },
      sql`from policies where ${changing}`,
    ),
    sql`update policies set updated_at = max(${audit.now}, updated_at + 1) where ${changing}`,
    sql`delete from rules where policy_id in (select id from policies where ${changing})`,
    // Rules that still exist equal the new ones.
    insertRules(
      wanted,
      policyId,
      sql`exists (select 1 from policies where ${writable})
        and not exists (select 1 from rules where policy_id = ${policyId})`,
    ),
    selectWhere(sql`id = ${policyId} and ${inList('organization_id', access.readable)}`),
    rulesOf(policyId),
  );
  const policy = rowsOf<Policy>(found)[0];
  return policy ? { policy, rows: rowsOf<RuleRow>(rows) } : null;
}
