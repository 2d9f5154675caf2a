/**
 * Applications, API keys, policies, rules and permission sets through the official Scaleway SDK's IAM client, which
 * is unmodified except for its `apiURL`.
 */
import { createClient, Iamv1alpha1, Mnqv1beta1 } from '@scaleway/sdk';
import { Errors } from '@scaleway/sdk-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { useStack } from './local-stack.ts';

const local = useStack();

function clientOf(accessKey: string, secretKey: string) {
  return createClient({
    apiURL: local.stack.origin,
    accessKey,
    secretKey,
    defaultProjectId: local.owner.project_id,
    defaultOrganizationId: local.owner.organization_id,
  });
}

let iam: Iamv1alpha1.API;

beforeAll(() => {
  iam = new Iamv1alpha1.API(clientOf(local.owner.access_key, local.owner.secret_key));
});

const ids = <Item extends { id: string }>(items: Item[]) => items.map(({ id }) => id);

describe('the SDK’s IAM client', () => {
  it('creates, lists, updates and deletes applications', async () => {
    const made = await iam.createApplication({ name: 'orders', description: 'takes orders', tags: ['shop'] });
    expect(made).toMatchObject({
      name: 'orders',
      description: 'takes orders',
      organizationId: local.owner.organization_id,
      editable: true,
      deletable: true,
      managed: false,
      nbApiKeys: 0,
      tags: ['shop'],
    });
    expect(made.createdAt).toBeInstanceOf(Date);
    expect((await iam.createApplication({ description: '' })).name).toMatch(/app/);
    const applicationId = made.id;
    const updated = await iam.updateApplication({ applicationId, name: 'billing', tags: [] });
    expect(updated).toMatchObject({ name: 'billing', description: 'takes orders', tags: [] });
    expect(await iam.getApplication({ applicationId })).toEqual(updated);
    expect(ids(await iam.listApplications({ pageSize: 1 }).all())).toHaveLength(2);
    const found = await iam.listApplications({
      applicationIds: [applicationId, crypto.randomUUID()],
      name: 'billing',
      editable: true,
      orderBy: 'name_desc',
    });
    expect([found.totalCount, ids(found.applications)]).toEqual([1, [applicationId]]);
    await iam.deleteApplication({ applicationId });
    const missing = await iam.getApplication({ applicationId }).catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(Errors.ResourceNotFoundError);
    expect(missing).toMatchObject({ resource: 'application', resourceId: applicationId });
  });

  it('creates, lists, updates and deletes API keys', async () => {
    const { id: applicationId } = await iam.createApplication({ name: 'keys', description: '' });
    const expiresAt = new Date(Date.now() + 24 * 3600 * 1000);
    const made = await iam.createAPIKey({ applicationId, description: 'first', expiresAt });
    expect(made).toMatchObject({
      applicationId,
      description: 'first',
      defaultProjectId: local.owner.project_id,
      expiresAt,
      editable: true,
      deletable: true,
    });
    expect(made.userId).toBeFalsy();
    const { accessKey, secretKey = '' } = made;
    // The client rejects malformed keys itself.
    const own = new Iamv1alpha1.API(clientOf(accessKey, secretKey));
    expect(await own.getAPIKey({ accessKey })).toMatchObject({ accessKey, secretKey: null });
    await expect(own.listAPIKeys()).rejects.toThrow(Errors.PermissionsDeniedError);

    expect((await iam.updateAPIKey({ accessKey, description: 'renamed' })).description).toBe('renamed');
    const second = await iam.createAPIKey({ applicationId, description: 'second' });
    const all = await iam.listAPIKeys({ applicationId, pageSize: 1, orderBy: 'access_key_asc' }).all();
    expect(all.map((key) => key.accessKey)).toEqual([accessKey, second.accessKey].sort());
    expect(all.every((key) => !key.secretKey)).toBe(true);
    const some = await iam.listAPIKeys({
      accessKeys: [accessKey, local.owner.access_key],
      bearerType: 'application',
      bearerId: applicationId,
      expired: false,
      editable: true,
    });
    expect(some.apiKeys.map((key) => key.accessKey)).toEqual([accessKey]);
    expect((await iam.getApplication({ applicationId })).nbApiKeys).toBe(2);
    await iam.deleteAPIKey({ accessKey });
    await expect(own.getAPIKey({ accessKey })).rejects.toThrow(Errors.DeniedAuthenticationError);
    await expect(iam.getAPIKey({ accessKey })).rejects.toThrow(Errors.ResourceNotFoundError);
  });

  it('creates, updates and deletes policies and their rules, which decide an application’s permissions', async () => {
    const { id: applicationId } = await iam.createApplication({ name: 'program', description: '' });
    const { accessKey, secretKey = '' } = await iam.createAPIKey({ applicationId, description: '' });
    const queues = new Mnqv1beta1.SqsAPI(clientOf(accessKey, secretKey));
    const region = 'fr-par';
    await expect(queues.getSqsInfo({ region })).rejects.toThrow(Errors.PermissionsDeniedError);

    const policy = await iam.createPolicy({
      name: 'queues',
      description: 'of the program',
      applicationId,
      tags: ['shop'],
      rules: [
        { permissionSetNames: ['QueuesReadOnly'], projectIds: [local.owner.project_id], condition: '' },
      ],
    });
    const policyId = policy.id;
    expect(policy).toMatchObject({ nbRules: 1, nbScopes: 1, nbPermissionSets: 1, applicationId });
    expect([policy.userId, policy.groupId, policy.noPrincipal]).toEqual([null, null, null]);
    expect((await queues.getSqsInfo({ region })).status).toBe('disabled');
    await expect(queues.activateSqs({ region })).rejects.toThrow(Errors.PermissionsDeniedError);

    const { rules } = await iam.setRules({
      policyId,
      rules: [
        { permissionSetNames: ['QueuesFullAccess'], projectIds: [local.owner.project_id], condition: '' },
        { permissionSetNames: ['IAMReadOnly'], organizationId: local.owner.organization_id, condition: '' },
      ],
    });
    expect(rules).toMatchObject([
      { permissionSetsScopeType: 'projects', projectIds: [local.owner.project_id], condition: '' },
      { permissionSetsScopeType: 'organization', organizationId: local.owner.organization_id },
    ]);
    expect(await iam.listRules({ policyId, pageSize: 1 }).all()).toEqual(rules);
    expect((await queues.activateSqs({ region })).status).toBe('enabled');

    expect(await iam.updatePolicy({ policyId, name: 'renamed' })).toMatchObject({
      name: 'renamed',
      nbRules: 2,
    });
    const none = await iam.createPolicy({ name: 'for nobody', description: '', noPrincipal: true });
    expect(none.noPrincipal).toBe(true);
    expect(ids(await iam.listPolicies({ pageSize: 1, orderBy: 'policy_name_desc' }).all())).toEqual([
      policyId,
      none.id,
    ]);
    const found = await iam.listPolicies({
      applicationIds: [applicationId, crypto.randomUUID()],
      policyIds: [policyId, none.id],
      tag: 'shop',
    });
    expect(ids(found.policies)).toEqual([policyId]);
    await iam.updatePolicy({ policyId, noPrincipal: true });
    await expect(queues.getSqsInfo({ region })).rejects.toThrow(Errors.PermissionsDeniedError);
    expect((await iam.listPolicies({ noPrincipal: true })).totalCount).toBe(2);
    await iam.deletePolicy({ policyId });
    await expect(iam.getPolicy({ policyId })).rejects.toThrow(Errors.ResourceNotFoundError);
    await expect(iam.createPolicy({ name: 'group', description: '', groupId: policyId })).rejects.toThrow(
      Errors.InvalidArgumentsError,
    );
  });

  it('lists the permission sets', async () => {
    const sets = await iam.listPermissionSets({ pageSize: 5, orderBy: 'name_asc' }).all();
    const names = sets.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(sets.find(({ name }) => name === 'QueuesFullAccess')).toMatchObject({ scopeType: 'projects' });
    expect(sets.find(({ name }) => name === 'IAMManager')).toMatchObject({ scopeType: 'organization' });
  });
});
