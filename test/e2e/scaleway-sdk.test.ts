/**
 * Accounts, activation and credentials through the official Scaleway SDK, which is unmodified except for its
 * `apiURL`: three products, two regions, pagination, and each applicable error class.
 */
import { Accountv3, createClient, Iamv1alpha1, Mnqv1beta1 } from '@scaleway/sdk';
import { Errors } from '@scaleway/sdk-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { useStack } from './local-stack.ts';

const local = useStack();
const REGIONS = ['fr-par', 'nl-ams'] as const;

function clientOf(secretKey: string, accessKey = local.owner.access_key) {
  return createClient({
    apiURL: local.stack.origin,
    accessKey,
    secretKey,
    defaultProjectId: local.owner.project_id,
    defaultOrganizationId: local.owner.organization_id,
  });
}

type Client = ReturnType<typeof clientOf>;

/** Queues and Topics and Events have APIs of the same shape: this gives both the same method names. */
function accessKeyApi(product: 'sqs' | 'sns', client: Client, region: (typeof REGIONS)[number]) {
  const sqs = new Mnqv1beta1.SqsAPI(client);
  const sns = new Mnqv1beta1.SnsAPI(client);
  return product === 'sqs'
    ? {
        info: () => sqs.getSqsInfo({ region }),
        endpointOf: (info: object) => (info as { sqsEndpointUrl: string }).sqsEndpointUrl,
        activate: () => sqs.activateSqs({ region }),
        deactivate: () => sqs.deactivateSqs({ region }),
        create: (name: string, permissions: object) =>
          sqs.createSqsCredentials({ region, name, permissions }),
        list: (pageSize: number) => sqs.listSqsCredentials({ region, pageSize }),
        get: (id: string) => sqs.getSqsCredentials({ region, sqsCredentialsId: id }),
        update: (id: string, change: object) =>
          sqs.updateSqsCredentials({ region, sqsCredentialsId: id, ...change }),
        revoke: (id: string) => sqs.deleteSqsCredentials({ region, sqsCredentialsId: id }),
      }
    : {
        info: () => sns.getSnsInfo({ region }),
        endpointOf: (info: object) => (info as { snsEndpointUrl: string }).snsEndpointUrl,
        activate: () => sns.activateSns({ region }),
        deactivate: () => sns.deactivateSns({ region }),
        create: (name: string, permissions: object) =>
          sns.createSnsCredentials({ region, name, permissions }),
        list: (pageSize: number) => sns.listSnsCredentials({ region, pageSize }),
        get: (id: string) => sns.getSnsCredentials({ region, snsCredentialsId: id }),
        update: (id: string, change: object) =>
          sns.updateSnsCredentials({ region, snsCredentialsId: id, ...change }),
        revoke: (id: string) => sns.deleteSnsCredentials({ region, snsCredentialsId: id }),
      };
}

const names = <Item extends { name: string }>(items: Item[]) => items.map(({ name }) => name);

describe.each(REGIONS)('the SDK in %s', (region) => {
  let client: Client;
  beforeAll(() => {
    client = clientOf(local.owner.secret_key);
  });

  it('manages NATS accounts and credentials', async () => {
    const api = new Mnqv1beta1.NatsAPI(client);
    const account = await api.createNatsAccount({ region, name: 'orders' });
    expect(account).toMatchObject({ name: 'orders', region, projectId: local.owner.project_id });
    expect(account.endpoint).toBe(local.stack.nats.get(region)?.url);
    expect(account.createdAt).toBeInstanceOf(Date);
    expect((await api.createNatsAccount({ region })).name).toMatch(/^mnq-/);
    const renamed = await api.updateNatsAccount({ region, natsAccountId: account.id, name: 'renamed' });
    expect(renamed.name).toBe('renamed');
    expect(await api.getNatsAccount({ region, natsAccountId: account.id })).toEqual(renamed);

    const wanted = Array.from({ length: 5 }, (_, i) => `service ${i}`);
    for (const name of wanted) {
      const made = await api.createNatsCredentials({ region, natsAccountId: account.id, name });
      expect(made.credentials?.content).toContain('BEGIN USER NKEY SEED');
    }
    const all = await api.listNatsCredentials({ region, natsAccountId: account.id, pageSize: 2 }).all();
    expect(names(all)).toEqual(wanted);
    expect(all.every(({ credentials }) => !credentials)).toBe(true);
    const [first] = all;
    const natsCredentialsId = first?.id ?? '';
    expect(await api.getNatsCredentials({ region, natsCredentialsId })).toEqual(first);
    await api.deleteNatsCredentials({ region, natsCredentialsId });
    await expect(api.getNatsCredentials({ region, natsCredentialsId })).rejects.toThrow(
      Errors.ResourceNotFoundError,
    );
    const byName = await api.listNatsCredentials({ region, natsAccountId: account.id, orderBy: 'name_desc' });
    expect([byName.totalCount, names(byName.natsCredentials)]).toEqual([4, wanted.slice(1).reverse()]);
    await api.deleteNatsAccount({ region, natsAccountId: account.id });
    expect((await api.listNatsAccounts({ region })).totalCount).toBe(1);
    expect((await api.listNatsCredentials({ region })).totalCount).toBe(0);
  });

  it.each(['sqs', 'sns'] as const)('manages %s credentials', async (product) => {
    const api = accessKeyApi(product, client, region);
    expect(await api.info()).toMatchObject({ status: 'disabled', projectId: local.owner.project_id });
    const write = { canPublish: true, canReceive: false, canManage: false };
    await expect(api.create('early', write)).rejects.toThrow(Errors.PreconditionFailedError);
    const active = await api.activate();
    expect(active).toMatchObject({ status: 'enabled', region });
    expect(api.endpointOf(active)).toBe(local.stack.origin);
    expect((await api.info()).createdAt).toEqual(active.createdAt);
    await expect(api.activate()).rejects.toThrow(Errors.AlreadyExistsError);

    const wanted = ['a', 'b', 'c', 'd', 'e'];
    const made = await Promise.all(wanted.map((name) => api.create(name, write)));
    for (const { accessKey, secretKey } of made) {
      expect(accessKey).toMatch(/^[A-Za-z0-9]{20}$/);
      expect(secretKey).toMatch(/^latchkey_/);
    }
    const all = await (api.list(2) as { all: () => Promise<{ name: string; secretKey: string }[]> }).all();
    expect(names(all).sort()).toEqual(wanted);
    expect(all.every(({ secretKey }) => !secretKey)).toBe(true);

    const id = made[0]?.id ?? '';
    const updated = await api.update(id, { name: 'renamed', permissions: { canManage: true } });
    expect(updated).toMatchObject({ name: 'renamed', permissions: { ...write, canManage: true } });
    expect(await api.get(id)).toEqual(updated);
    await api.revoke(id);
    await expect(api.revoke(id)).rejects.toThrow(Errors.ResourceNotFoundError);
    expect(await api.deactivate()).toMatchObject({ status: 'disabled' });
    await expect(api.get(made[1]?.id ?? '')).rejects.toThrow(Errors.ResourceNotFoundError);
    await expect(api.deactivate()).rejects.toThrow(Errors.ResourceNotFoundError);
  });
});

describe('the SDK’s errors', () => {
  const caught = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('name the cause', async () => {
    const client = clientOf(local.owner.secret_key);
    const api = new Mnqv1beta1.SqsAPI(client);
    const region = 'fr-par';
    await api.activateSqs({ region });
    const none = await caught(
      api.createSqsCredentials({
        region,
        permissions: { canPublish: false, canReceive: false, canManage: false },
      }),
    );
    expect(none).toBeInstanceOf(Errors.InvalidArgumentsError);
    expect((none as InstanceType<typeof Errors.InvalidArgumentsError>).details).toMatchObject([
      { argumentName: 'permissions', reason: 'constraint' },
    ]);
    const foreign = await caught(api.getSqsInfo({ region, projectId: crypto.randomUUID() }));
    expect(foreign).toMatchObject({ name: 'ResourceNotFoundError', resource: 'MnqSQSNamespace' });
    const denied = await caught(api.listSqsCredentials({ region, projectId: crypto.randomUUID() }));
    expect(denied).toBeInstanceOf(Errors.PermissionsDeniedError);
    expect((denied as InstanceType<typeof Errors.PermissionsDeniedError>).list).toEqual([
      { resource: 'sqs', action: 'read' },
    ]);
    const unknown = await caught(
      new Mnqv1beta1.SqsAPI(clientOf(crypto.randomUUID())).listSqsCredentials({ region }),
    );
    expect(unknown).toBeInstanceOf(Errors.DeniedAuthenticationError);
    expect(unknown).toMatchObject({ method: 'api_key', reason: 'not_found' });
    const missing = await caught(
      new Mnqv1beta1.NatsAPI(client).getNatsAccount({ region, natsAccountId: `A${'B'.repeat(55)}` }),
    );
    expect(missing).toMatchObject({ name: 'ResourceNotFoundError', resource: 'namespace' });
  });
});

describe('the requests that clients send on start', () => {
  it('return the projects and the API key', async () => {
    const client = clientOf(local.owner.secret_key);
    const { projects } = await new Accountv3.ProjectAPI(client).listProjects();
    expect(projects).toMatchObject([
      { id: local.owner.project_id, organizationId: local.owner.organization_id },
    ]);
    const key = await new Iamv1alpha1.API(client).getAPIKey({ accessKey: local.owner.access_key });
    expect(key).toMatchObject({
      accessKey: local.owner.access_key,
      defaultProjectId: local.owner.project_id,
    });
    expect(key.secretKey).toBeFalsy();
  });
});
