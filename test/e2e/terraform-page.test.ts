/**
 * "Use Terraform and the scw CLI": each resource of its configuration is created by the official SDK with the same
 * arguments, and each command names an operation and arguments of the API. Also tests other assumptions of such
 * clients: deletions that fail immediately, and a readable audit trail.
 */
import { Accountv3, AuditTrailv1alpha1, createClient, Iamv1alpha1, Mnqv1beta1 } from '@scaleway/sdk';
import { Errors } from '@scaleway/sdk-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { useStack } from './local-stack.ts';
import { codeOf } from './pages.ts';

const local = useStack();
const region = 'fr-par';
const PAGE = 'how-to/terraform';

let client: ReturnType<typeof createClient>;
let projects: Accountv3.ProjectAPI;
let nats: Mnqv1beta1.NatsAPI;
let sqs: Mnqv1beta1.SqsAPI;
let sns: Mnqv1beta1.SnsAPI;
let trail: AuditTrailv1alpha1.API;

beforeAll(() => {
  client = createClient({
    apiURL: local.stack.origin,
    accessKey: local.owner.access_key,
    secretKey: local.owner.secret_key,
    defaultProjectId: local.owner.project_id,
    defaultOrganizationId: local.owner.organization_id,
    defaultRegion: region,
  });
  projects = new Accountv3.ProjectAPI(client);
  nats = new Mnqv1beta1.NatsAPI(client);
  sqs = new Mnqv1beta1.SqsAPI(client);
  sns = new Mnqv1beta1.SnsAPI(client);
  trail = new AuditTrailv1alpha1.API(client);
});

/** A resource of a configuration: its arguments, and those of its blocks, as text. */
interface Resource {
  type: string;
  name: string;
  values: Record<string, string>;
}

function resourcesOf(hcl: string): Resource[] {
  return [...hcl.matchAll(/^resource "(\w+)" "(\w+)" \{\n([\s\S]*?)^\}/gm)].map(
    ([, type = '', name = '', body = '']) => ({
      type,
      name,
      values: Object.fromEntries(
        [...body.matchAll(/^\s*(\w+)\s*=\s*(.+)$/gm)].map(([, key = '', value = '']) => [key, value]),
      ),
    }),
  );
}

type Created = Record<string, unknown>;
const text = (value: unknown) => String(value);

/** The provider's call for each control plane resource, with these arguments. */
const CALLS: Record<string, (values: Record<string, string>) => Promise<unknown>> = {
  scaleway_account_project: ({ name }) => projects.createProject({ name: text(name), description: '' }),
  scaleway_mnq_nats_account: ({ name, project_id }) =>
    nats.createNatsAccount({ name: text(name), projectId: text(project_id) }),
  scaleway_mnq_nats_credentials: ({ account_id, name }) =>
    nats.createNatsCredentials({ natsAccountId: text(account_id), name: text(name) }),
  scaleway_mnq_sqs: ({ project_id }) => sqs.activateSqs({ projectId: text(project_id) }),
  scaleway_mnq_sns: ({ project_id }) => sns.activateSns({ projectId: text(project_id) }),
  scaleway_mnq_sqs_credentials: ({ project_id, name, ...permissions }) =>
    sqs.createSqsCredentials({
      projectId: text(project_id),
      name: text(name),
      permissions: permissionsOf(permissions),
    }),
  scaleway_mnq_sns_credentials: ({ project_id, name, ...permissions }) =>
    sns.createSnsCredentials({
      projectId: text(project_id),
      name: text(name),
      permissions: permissionsOf(permissions),
    }),
};

/** Resources of the data plane, for which the provider signs requests: the arguments that direct them to Latchkey. */
const SIGNED: Record<string, string[]> = {
  scaleway_mnq_sqs_queue: ['project_id', 'name', 'sqs_endpoint', 'access_key', 'secret_key'],
  scaleway_mnq_sns_topic: ['project_id', 'name', 'sns_endpoint', 'access_key', 'secret_key'],
  scaleway_mnq_sns_topic_subscription: [
    'project_id',
    'topic_id',
    'protocol',
    'endpoint',
    'sns_endpoint',
    'access_key',
    'secret_key',
  ],
};

function permissionsOf(values: Record<string, string>) {
  expect(Object.keys(values).every((name) => /^can_(publish|receive|manage)$/.test(name))).toBe(true);
  return {
    canPublish: values.can_publish === 'true',
    canReceive: values.can_receive === 'true',
    canManage: values.can_manage === 'true',
  };
}

/** Resolves references in a value: maps the provider's attribute names to the SDK's. */
function resolve(value: string, made: ReadonlyMap<string, Created>): string {
  const [, at = '', attribute = ''] = /^(scaleway_\w+\.\w+)\.(\w+)$/.exec(value) ?? [];
  if (!at) return value.replace(/^"(.*)"$/, '$1');
  const from = made.get(at);
  const camel = attribute.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());
  const found =
    from?.[camel] ?? from?.[attribute === 'endpoint' ? 'sqsEndpointUrl' : ''] ?? from?.snsEndpointUrl;
  expect(found, value).toBeTypeOf('string');
  return text(found);
}

describe('the page’s Terraform configuration', () => {
  it('uses existing resources and arguments, in a working order', async () => {
    const [hcl = ''] = codeOf(PAGE, 'hcl', 'Terraform');
    const made = new Map<string, Created>();
    const resources = resourcesOf(hcl);
    for (const { type, name, values } of resources) {
      const call = CALLS[type];
      if (!call) {
        expect(Object.keys(values), type).toEqual(SIGNED[type]);
        continue;
      }
      const resolved = Object.fromEntries(
        Object.entries(values).map(([key, value]) => [key, resolve(value, made)]),
      );
      made.set(`${type}.${name}`, (await call(resolved)) as Created);
    }
    expect(resources.map(({ type }) => type)).toEqual(
      expect.arrayContaining([...Object.keys(CALLS), ...Object.keys(SIGNED)]),
    );
    expect(made.get('scaleway_mnq_sqs.shop')?.sqsEndpointUrl).toBe(local.stack.origin);
    const creds = made.get('scaleway_mnq_nats_credentials.orders')?.credentials as { content: string };
    expect(creds.content).toContain('BEGIN NATS USER JWT');
  });

  it('has a default project that clients find without configuration: the organization’s ID', async () => {
    expect(local.owner.project_id).toBe(local.owner.organization_id);
    expect((await projects.getProject({ projectId: local.owner.organization_id })).name).toBe('default');
  });
});

describe('the page’s commands', () => {
  const METHODS: Record<string, (args: Record<string, string>) => Promise<unknown>> = {
    'mnq nats create-account': ({ name }) => nats.createNatsAccount({ name: text(name) }),
    'mnq nats create-context': ({ 'nats-account-id': id }) =>
      nats.createNatsCredentials({ natsAccountId: text(id) }),
    'mnq sqs activate': () => sqs.activateSqs(),
    'mnq sqs create-credentials': ({ name, ...rest }) =>
      sqs.createSqsCredentials({
        name: text(name),
        permissions: permissionsOf(
          Object.fromEntries(
            Object.entries(rest).map(([key, value]) => [
              key.replace('permissions.', '').replaceAll('-', '_'),
              value,
            ]),
          ),
        ),
      }),
    'audit-trail event list': async ({ region: at }) => {
      const { events } = await trail.listEvents({ region: at as never, resourceType: 'unknown_type' });
      expect(events.length).toBeGreaterThan(3);
    },
  };

  it('use existing operations and arguments, in a working order', async () => {
    const lines = codeOf(PAGE, 'sh', 'scw CLI')
      .join('')
      .matchAll(/scw ([a-z- ]+?)((?: [a-z.-]+=\S+)*)(?: -o .*)?$/gm);
    const ran: string[] = [];
    let account = '';
    for (const [line, name = '', tail = ''] of lines) {
      const args = Object.fromEntries(
        tail
          .trim()
          .split(' ')
          .filter(Boolean)
          .map((one) => one.split('=')),
      ) as Record<string, string>;
      if (args['nats-account-id']) args['nats-account-id'] = account;
      const call = METHODS[name.trim()];
      expect(call, line).toBeDefined();
      const made = (await call?.(args)) as { id?: string } | undefined;
      if (name.includes('create-account')) account = made?.id ?? '';
      ran.push(name.trim());
    }
    expect(ran).toEqual(expect.arrayContaining(Object.keys(METHODS)));
  });
});

describe('the audit trail, read by the official SDK,', () => {
  it('lists each action and its resource, and filters by the names of its methods and products', async () => {
    const { id } = await nats.createNatsAccount({ name: 'recorded' });
    const [event] = (await trail.listEvents({ resourceId: id })).events;
    expect(event).toMatchObject({
      methodName: 'CreateNatsAccount',
      productName: 'mnq',
      serviceName: 'mnq.v1beta1',
      statusCode: 200,
      resources: [{ id, type: 'nats_accounts', name: 'recorded' }],
      locality: region,
      principal: { id: expect.any(String) },
    });
    expect(event?.recordedAt).toBeInstanceOf(Date);
    const count = async (filter: object) =>
      (await trail.listEvents({ resourceId: id, ...filter })).events.length;
    expect(await count({ methodName: 'CreateNatsAccount', productName: 'mnq', status: 200 })).toBe(1);
    expect(await count({ methodName: 'DeleteNatsAccount' })).toBe(0);
    expect(await count({ productName: 'iam' })).toBe(0);
    expect(await count({ resourceType: 'iam_user' })).toBe(0);
    await expect(trail.listEvents({ status: 403 })).rejects.toThrow(Errors.InvalidArgumentsError);
    await expect(trail.listEvents({ resourceType: 'instance_server' })).rejects.toThrow(
      Errors.InvalidArgumentsError,
    );
  });
});

describe('clients get an immediate response when', () => {
  it('they delete a project that contains resources', async () => {
    const { id: projectId } = await projects.createProject({ name: 'held', description: '' });
    await nats.createNatsAccount({ projectId, name: 'inuse' });
    await expect(projects.deleteProject({ projectId })).rejects.toMatchObject({
      name: 'PreconditionFailedError',
      precondition: 'resource_still_in_use',
      helpMessage: expect.stringContaining('NATS accounts in fr-par'),
    });
  });

  it('they read a product of a deleted project', async () => {
    const { id: projectId } = await projects.createProject({ name: 'gone', description: '' });
    await sqs.activateSqs({ projectId });
    await sqs.deactivateSqs({ projectId });
    await projects.deleteProject({ projectId });
    for (const [call, resource] of [
      [() => sqs.deactivateSqs({ projectId }), 'MnqSQSNamespace'],
      [() => sns.deactivateSns({ projectId }), 'MnqSNSNamespace'],
      [() => sqs.getSqsInfo({ projectId }), 'MnqSQSNamespace'],
      [() => nats.createNatsAccount({ projectId }), 'project_id'],
    ] as const) {
      await expect(call()).rejects.toMatchObject({
        name: 'ResourceNotFoundError',
        resource,
        resourceId: projectId,
      });
    }
  });

  it('they invite a member in the provider’s format', async () => {
    const iam = new Iamv1alpha1.API(client);
    const email = 'ada@example.com';
    const member = { email, username: email, sendPasswordEmail: false, sendWelcomeEmail: false };
    const names = { password: '', firstName: '', lastName: '', phoneNumber: '', locale: '' };
    const made = await iam.createUser({ member: { ...member, ...names } });
    expect(made).toMatchObject({ email, username: email, type: 'member', status: 'invitation_pending' });
  });
});
