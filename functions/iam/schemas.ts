/**
 * The schemas of applications, API keys, policies, rules, permission sets and the caller. Names and limits are those of
 * Scaleway IAM v1alpha1. Members and sessions are in members/user-schemas.ts.
 */
import * as z from 'zod';
import { enumFilter, exactlyOne, listOf, nameSchema, paging, singleLine, uuid } from '../shared/schemas.ts';
import { type PermissionSetName, permissionSets } from './access/permission-sets.ts';

/** The size limits of a policy. The 64 KiB body limit also applies. */
export const MAX_RULES = 100;
const MAX_PROJECTS = 100;
const MAX_TAGS = 10;
const MAX_IDS = 100;

const name = nameSchema(64);
const description = singleLine(200);
const tags = z.array(nameSchema(64)).max(MAX_TAGS);
const timestamp = z.iso.datetime();

/** A query parameter that can be repeated. */
const many = <Item extends z.ZodType<string>>(item: Item) => z.union([z.array(item).max(MAX_IDS), item]);

/** Returns the values of a repeatable parameter, or undefined if there are none. */
export function valuesOf(parameter: string | string[] | undefined): string[] | undefined {
  return parameter === undefined ? undefined : [parameter].flat();
}

const flag = z.enum(['true', 'false']);

/** Returns the value of a boolean parameter. */
export function flagOf(parameter: z.infer<typeof flag> | undefined): boolean | undefined {
  return parameter && parameter === 'true';
}

/** Applies the filter `editable` to the organizations that a list reads. Everything here is editable. */
export function editableIn(organizationIds: string[], editable: z.infer<typeof flag> | undefined): string[] {
  return flagOf(editable) === false ? [] : organizationIds;
}

/** Constant fields: Latchkey has no resources managed by someone else. */
const common = {
  editable: z.boolean(),
  deletable: z.boolean(),
  managed: z.boolean(),
  created_at: timestamp,
  updated_at: timestamp,
};

export const application = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    organization_id: z.string(),
    ...common,
    nb_api_keys: z.number().int(),
    tags: z.array(z.string()),
  })
  .meta({ id: 'Application' });
export const applicationList = listOf('applications', application);
export const createApplicationBody = z.object({
  name,
  description: description.nullish(),
  organization_id: uuid.nullish(),
  tags: tags.nullish(),
});
export const updateApplicationBody = z.object({
  name: name.nullish(),
  description: description.nullish(),
  tags: tags.nullish(),
});
export const listApplicationsQuery = paging.extend({
  organization_id: uuid.optional(),
  name: z.string().optional(),
  application_ids: many(uuid).optional(),
  editable: flag.optional(),
  tag: z.string().optional(),
});

/** The format that the official clients require. */
export const accessKey = z
  .string()
  .regex(/^SCW[A-Z0-9]{17}$/, 'must be an access key: SCW followed by 17 characters from A-Z and 0-9');

const apiKeyFields = z.object({
  access_key: z.string(),
  application_id: z.string().nullable(),
  user_id: z.string().nullable(),
  description: z.string(),
  ...common,
  expires_at: timestamp.nullable(),
  last_used_at: timestamp.nullable(),
  default_project_id: z.string(),
  creation_ip: z.string(),
});

export const apiKey = apiKeyFields.extend({ secret_key: z.null() }).meta({ id: 'ApiKey' });
/** The response to a creation: the only one that contains the secret key. */
export const issuedApiKey = apiKeyFields.extend({ secret_key: z.string() }).meta({ id: 'IssuedApiKey' });
export const apiKeyList = listOf('api_keys', apiKey);

const expiresAt = z.iso
  .datetime({ offset: true })
  .refine((time) => Date.parse(time) > Date.now(), 'must be in the future');

export const createApiKeyBody = z
  .object({
    application_id: uuid.nullish(),
    user_id: uuid.nullish(),
    description: description.nullish(),
    expires_at: expiresAt.nullish(),
    default_project_id: uuid.nullish(),
  })
  .refine(
    (body) => !body.application_id !== !body.user_id,
    'exactly one of application_id and user_id is required',
  )
  .meta(exactlyOne('application_id', 'user_id'));
export const updateApiKeyBody = z.object({
  description: description.nullish(),
  expires_at: expiresAt.nullish(),
  default_project_id: uuid.nullish(),
});
export const listApiKeysQuery = paging.omit({ order_by: true }).extend({
  order_by: z
    .enum([
      'created_at_asc',
      'created_at_desc',
      'updated_at_asc',
      'updated_at_desc',
      'expires_at_asc',
      'expires_at_desc',
      'access_key_asc',
      'access_key_desc',
    ])
    .default('created_at_asc'),
  organization_id: uuid.optional(),
  application_id: uuid.optional(),
  user_id: uuid.optional(),
  bearer_id: uuid.optional(),
  bearer_type: enumFilter('unknown_bearer_type', ['user', 'application']),
  access_key: z.string().optional(),
  access_keys: many(accessKey).optional(),
  editable: flag.optional(),
  description: z.string().optional(),
  expired: flag.optional(),
});

const setName = z.enum(Object.keys(permissionSets) as [PermissionSetName, ...PermissionSetName[]]);

const ruleSpec = z
  .object({
    permission_set_names: z.array(setName).min(1),
    project_ids: z.array(uuid).min(1).max(MAX_PROJECTS).nullish(),
    organization_id: uuid.nullish(),
    condition: z.string().max(0, 'conditions are not supported: leave it empty').nullish(),
  })
  .refine((rule) => !rule.project_ids !== !rule.organization_id, {
    path: ['project_ids'],
    message: 'exactly one of project_ids and organization_id is required',
  })
  .refine(
    (rule) =>
      rule.organization_id ||
      rule.permission_set_names.every((set) => permissionSets[set].scope === 'projects'),
    {
      path: ['permission_set_names'],
      message:
        'one of these can only be granted for the whole organization: set organization_id instead of project_ids',
    },
  )
  .refine((rule) => new Set(rule.permission_set_names.map((set) => permissionSets[set].scope)).size === 1, {
    path: ['permission_set_names'],
    message:
      'all permission sets of a rule must have the same scope type: use separate rules for organization and projects',
  })
  .meta({ id: 'RuleSpecs', ...exactlyOne('project_ids', 'organization_id') });
const ruleSpecs = z.array(ruleSpec).max(MAX_RULES);

export type RuleSpec = z.output<typeof ruleSpec>;

const principalFields = {
  user_id: uuid.nullish(),
  application_id: uuid.nullish(),
  group_id: z.null('groups are not supported').optional(),
  no_principal: z.boolean().nullish(),
};

/** Like {@link exactlyOne}, for members where `no_principal: false` selects none. */
const named = (name: string, isNamed: boolean) => ({
  [name]:
    name === 'no_principal'
      ? isNamed
        ? { const: true }
        : { enum: [false, null] }
      : isNamed
        ? { type: 'string' }
        : { type: 'null' },
});
const PRINCIPALS = ['user_id', 'application_id', 'no_principal'];
const EXACTLY_ONE_PRINCIPAL = {
  oneOf: PRINCIPALS.map((name) => ({
    type: 'object',
    required: [name],
    properties: Object.assign({}, ...PRINCIPALS.map((other) => named(other, other === name))),
  })),
};

/** Returns how many principals a body names. */
const principalsOf = (body: { [Field in 'user_id' | 'application_id' | 'no_principal']?: unknown }) =>
  [body.user_id, body.application_id, body.no_principal].filter(Boolean).length;

export const policy = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    organization_id: z.string(),
    ...common,
    nb_rules: z.number().int(),
    nb_scopes: z.number().int(),
    nb_permission_sets: z.number().int(),
    tags: z.array(z.string()),
    user_id: z.string().nullable(),
    group_id: z.null(),
    application_id: z.string().nullable(),
    no_principal: z.boolean().nullable(),
  })
  .meta({ id: 'Policy' });
export const policyList = listOf('policies', policy);
export const createPolicyBody = z
  .object({
    name,
    description: description.nullish(),
    organization_id: uuid.nullish(),
    tags: tags.nullish(),
    rules: ruleSpecs.nullish(),
    ...principalFields,
  })
  .refine(
    (body) => principalsOf(body) === 1,
    'exactly one of user_id, application_id and no_principal is required',
  )
  .meta(EXACTLY_ONE_PRINCIPAL);
export const updatePolicyBody = z
  .object({
    name: name.nullish(),
    description: description.nullish(),
    tags: tags.nullish(),
    ...principalFields,
  })
  .refine(
    (body) => principalsOf(body) <= 1,
    'at most one of user_id, application_id and no_principal is allowed',
  );
export const listPoliciesQuery = paging.omit({ order_by: true }).extend({
  order_by: z
    .enum(['created_at_asc', 'created_at_desc', 'policy_name_asc', 'policy_name_desc'])
    .default('created_at_asc'),
  organization_id: uuid.optional(),
  user_ids: many(uuid).optional(),
  application_ids: many(uuid).optional(),
  group_ids: many(uuid).optional(),
  no_principal: flag.optional(),
  editable: flag.optional(),
  policy_name: z.string().optional(),
  policy_ids: many(uuid).optional(),
  tag: z.string().optional(),
});

const rule = z
  .object({
    id: z.string(),
    permission_set_names: z.array(z.string()),
    permission_sets_scope_type: z.enum(['projects', 'organization']),
    condition: z.string(),
    project_ids: z.array(z.string()).nullable(),
    organization_id: z.string().nullable(),
    account_root_user_id: z.null(),
  })
  .meta({ id: 'Rule' });

export type Rule = z.output<typeof rule>;

export const ruleList = listOf('rules', rule);
export const setRulesBody = z.object({ policy_id: uuid, rules: ruleSpecs });
export const setRulesAnswer = z.object({ rules: z.array(rule) });
export const listRulesQuery = paging.omit({ order_by: true }).extend({ policy_id: uuid });

export const permissionSetList = listOf(
  'permission_sets',
  z
    .object({
      id: z.string(),
      name: z.string(),
      scope_type: z.enum(['projects', 'organization']),
      description: z.string(),
      categories: z.array(z.string()),
    })
    .meta({ id: 'PermissionSet' }),
);
export const listPermissionSetsQuery = paging.omit({ order_by: true }).extend({
  order_by: z.enum(['name_asc', 'name_desc', 'created_at_asc', 'created_at_desc']).default('created_at_asc'),
  organization_id: uuid.optional(),
});

/** A hundred years in seconds. */
const MAX_DURATION = 3_153_600_000;

/** The longest time in seconds until new credentials for NATS, Queues, and Topics and Events must expire; 0 for no limit. */
const maxCredentialsDuration = z.number().int().min(0).max(MAX_DURATION);

export const securitySettings = z
  .object({ max_credentials_duration: maxCredentialsDuration })
  .meta({ id: 'OrganizationSecuritySettings' });

/** Strict: the settings of Scaleway that Latchkey does not have would otherwise seem to be in force. */
export const updateSecuritySettingsBody = z.strictObject({
  max_credentials_duration: maxCredentialsDuration,
});

export const principal = z
  .object({
    type: z.enum(['user', 'application']),
    id: z.string(),
    email: z.string().nullable(),
    name: z.string(),
    /** The access key used for the request; null for a session. */
    access_key: z.string().nullable(),
    organizations: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        /** Null for an application. */
        role: z.enum(['owner', 'member']).nullable(),
        /** When a guest's organization expires and everything in it is deleted; null for others. */
        expires_at: z.iso.datetime().nullable(),
        /** See {@link securitySettings}. */
        max_credentials_duration: z.number().int(),
        /** Permission sets granted in some project or in the whole organization. An Owner needs none. */
        permission_sets: z.array(z.string()),
        rules: z.array(
          z.object({
            permission_set_names: z.array(z.string()),
            /** Null for the whole organization. */
            project_ids: z.array(z.string()).nullable(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'Principal' });
