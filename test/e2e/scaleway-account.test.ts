/** Projects through the official Scaleway SDK, which is unmodified except for its `apiURL`. */
import { Accountv3, createClient, Mnqv1beta1 } from '@scaleway/sdk';
import { Errors } from '@scaleway/sdk-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { useStack } from './local-stack.ts';

const local = useStack();

let projects: Accountv3.ProjectAPI;
let queues: Mnqv1beta1.SqsAPI;
let accounts: Mnqv1beta1.NatsAPI;

beforeAll(() => {
  const client = createClient({
    apiURL: local.stack.origin,
    accessKey: local.owner.access_key,
    secretKey: local.owner.secret_key,
    defaultProjectId: local.owner.project_id,
    defaultOrganizationId: local.owner.organization_id,
  });
  projects = new Accountv3.ProjectAPI(client);
  queues = new Mnqv1beta1.SqsAPI(client);
  accounts = new Mnqv1beta1.NatsAPI(client);
});

/** Returns the error of a call. */
const errorOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.unreachable('it was done'),
    (error: unknown) => error,
  );

describe('the SDK’s project client', () => {
  it('creates, lists, reads, updates and deletes projects', async () => {
    const made = await projects.createProject({ name: 'staging', description: 'Before production' });
    expect(made).toMatchObject({
      name: 'staging',
      description: 'Before production',
      organizationId: local.owner.organization_id,
    });
    expect(made.createdAt).toBeInstanceOf(Date);
    const { id: projectId } = made;
    expect(await projects.getProject({ projectId })).toEqual(made);
    expect((await projects.getProject()).id).toBe(local.owner.project_id);

    const second = await projects.createProject({ description: '' });
    const all = await projects.listProjects({ pageSize: 1, orderBy: 'created_at_desc' }).all();
    expect(all.map(({ id }) => id)).toEqual([second.id, projectId, local.owner.project_id]);
    const some = await projects.listProjects({ projectIds: [projectId, second.id] });
    expect(some.totalCount).toBe(2);
    expect((await projects.listProjects({ projectIds: [projectId] })).projects).toEqual([made]);
    expect((await projects.listProjects({ name: 'staging' })).projects).toEqual([made]);

    const updated = await projects.updateProject({ projectId, name: 'production' });
    expect(updated).toMatchObject({ id: projectId, name: 'production', description: 'Before production' });
    await projects.deleteProject({ projectId: second.id });
    await projects.deleteProject({ projectId });
    const gone = await errorOf(projects.getProject({ projectId }));
    expect(gone).toBeInstanceOf(Errors.ResourceNotFoundError);
    expect(gone).toMatchObject({ resource: 'project_id', resourceId: projectId });
    expect((await projects.listProjects()).totalCount).toBe(1);
  });

  it('gets an error when it deletes a project with resources, or the last one', async () => {
    const { id: projectId } = await projects.createProject({ name: 'held', description: '' });
    const account = await accounts.createNatsAccount({ region: 'fr-par', projectId, name: 'orders' });
    await queues.activateSqs({ region: 'nl-ams', projectId });
    const refused = await errorOf(projects.deleteProject({ projectId }));
    expect(refused).toBeInstanceOf(Errors.PreconditionFailedError);
    expect(String(refused)).toContain('NATS accounts in fr-par, Queues in nl-ams');
    await accounts.deleteNatsAccount({ region: 'fr-par', natsAccountId: account.id });
    await queues.deactivateSqs({ region: 'nl-ams', projectId });
    await projects.deleteProject({ projectId });
    const last = await errorOf(projects.deleteProject());
    expect(last).toBeInstanceOf(Errors.PreconditionFailedError);
    expect(await errorOf(projects.deleteProject({ projectId: crypto.randomUUID() }))).toBeInstanceOf(
      Errors.ResourceNotFoundError,
    );
  });
});
