/** OpenAPI examples for the shapes in schemas.ts. The keys are made up and grant no access. */

const organizationId = '0c8f2f0e-9d1c-4c39-8a55-3a0b9a7f5e21';
const projectId = '5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10';
const applicationId = '2b7d6f0a-54c8-4d0e-9f57-7f0f6f1f2c35';
const userId = '6a1f4f4e-6f0c-4b1e-9a57-1f6f0a8d3c44';
const policyId = 'c6a4c2d5-0f0e-4b43-9a0d-1f1b7d0b9e52';
const common = {
  editable: true,
  deletable: true,
  managed: false,
  created_at: '2026-11-21T09:00:00.000Z',
  updated_at: '2026-11-21T09:00:00.000Z',
};

export const createApplication = {
  name: 'orders',
  description: 'Receives orders',
  organization_id: organizationId,
  tags: ['shop'],
};
export const application = { id: applicationId, ...createApplication, ...common, nb_api_keys: 1 };
export const updateApplication = { description: 'Receives and ships orders' };

export const createApiKey = { application_id: applicationId, description: 'orders, in production' };
export const apiKey = {
  access_key: 'SCWEXAMPLEEXAMPLE000',
  secret_key: null,
  application_id: applicationId,
  user_id: null,
  description: 'orders, in production',
  ...common,
  expires_at: null,
  last_used_at: null,
  default_project_id: projectId,
  creation_ip: '192.0.2.10',
};
export const issuedApiKey = { ...apiKey, secret_key: '00000000-0000-4000-8000-000000000000' };
export const updateApiKey = { expires_at: '2099-12-31T00:00:00.000Z' };

const permission_set_names = ['QueuesFullAccess' as const];
export const rule = {
  id: 'e1f4a8b0-2f8c-4f5f-8e53-6f3c3b1d7a90',
  permission_set_names,
  permission_sets_scope_type: 'projects' as const,
  condition: '',
  project_ids: [projectId],
  organization_id: null,
  account_root_user_id: null,
};
const rules = [{ permission_set_names, project_ids: [projectId] }];
export const setRules = { policy_id: policyId, rules };
export const createPolicy = {
  name: 'orders use queues',
  description: '',
  organization_id: organizationId,
  application_id: applicationId,
  rules,
};
export const policy = {
  id: policyId,
  name: 'orders use queues',
  description: '',
  organization_id: organizationId,
  ...common,
  nb_rules: 1,
  nb_scopes: 1,
  nb_permission_sets: 1,
  tags: [],
  user_id: null,
  group_id: null,
  application_id: applicationId,
  no_principal: null,
};
export const updatePolicy = { no_principal: true };

export const principal = {
  type: 'user' as const,
  id: userId,
  email: 'owner@example.com',
  name: 'owner@example.com',
  access_key: null,
  organizations: [
    {
      id: organizationId,
      name: 'Example',
      role: 'member' as const,
      expires_at: null,
      max_credentials_duration: 7_776_000,
      permission_sets: permission_set_names,
      rules: [{ permission_set_names, project_ids: [projectId] }],
    },
  ],
};

export const securitySettings = { max_credentials_duration: 7_776_000 };
