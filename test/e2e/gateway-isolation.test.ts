/**
 * Tenant isolation: two projects in two regions, with the same resource names on one shared engine, never access each
 * other's resources, before and after a restart of the engine. A request can only name resources of its own project.
 */
import {
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListSubscriptionsCommand,
  ListTopicsCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  type SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { RegionsVar } from '../../functions/shared/regions.ts';
import { signal } from '../stack/signal.ts';
import {
  ALL,
  activate,
  newCredentials,
  newProject,
  outcome,
  snsClient,
  sqsClient,
} from './gateway-clients.ts';
import { useStack } from './local-stack.ts';

/** Makes both regions share the first region's engine, where only names separate them. */
function sharingOneEngine({ REGIONS }: { REGIONS: RegionsVar }) {
  const engine = REGIONS['fr-par']?.engine;
  return {
    REGIONS: Object.fromEntries(
      Object.entries(REGIONS).map(([name, settings]) => [name, { ...settings, engine }]),
    ),
  };
}

const local = useStack({ vars: sharingOneEngine });

interface Tenant {
  label: string;
  region: string;
  projectId: string;
  sqs: SQSClient;
  sns: SNSClient;
  queueUrl: string;
  topicArn: string;
  subscriptionArn: string;
}

const tenants: Tenant[] = [];

const queueArn = ({ region, projectId }: Pick<Tenant, 'region' | 'projectId'>, name = 'same') =>
  `arn:scw:sqs:${region}:project-${projectId}:${name}`;

async function newTenant(region: string, projectId: string): Promise<Tenant> {
  await activate(local, region, projectId);
  const at = { region, projectId };
  const sqs = sqsClient(local, await newCredentials(local, 'sqs', ALL, at));
  const sns = snsClient(local, await newCredentials(local, 'sns', ALL, at));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'same' }));
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'same' }));
  const subscription = await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: 'sqs',
      Endpoint: queueArn(at),
      Attributes: { RawMessageDelivery: 'true' },
    }),
  );
  return {
    label: `${region} ${projectId}`,
    ...at,
    sqs,
    sns,
    queueUrl: QueueUrl as string,
    topicArn: TopicArn as string,
    subscriptionArn: subscription.SubscriptionArn as string,
  };
}

beforeAll(async () => {
  const projects = [local.owner.project_id, await newProject(local)];
  for (const region of ['fr-par', 'nl-ams']) {
    for (const project of projects) tenants.push(await newTenant(region, project));
  }
});

/** Receives every message in a tenant's queue. */
async function drain({ sqs, queueUrl: QueueUrl }: Tenant): Promise<string[]> {
  const found: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 1000 }),
    );
    if (Messages.length === 0) return found.sort();
    found.push(...Messages.map(({ Body }) => Body ?? ''));
  }
}

describe.each(['before an engine restart', 'after the engine was killed and restarted'])('%s', (when) => {
  if (when !== 'before an engine restart') {
    beforeAll(async () => {
      const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
      const engine = local.stack.engines.get('fr-par');
      signal(engine?.pid(), 'SIGKILL');
      await vi.waitUntil(() => engine?.pid() === undefined);
      expect(String(logged.mock.calls[0])).toContain('queue engine for fr-par exited (SIGKILL)');
      logged.mockRestore();
      await engine?.start();
    });
  }

  it('each tenant lists its own queue, topic and subscription only', async () => {
    for (const { sqs, sns, ...own } of tenants) {
      expect((await sqs.send(new ListQueuesCommand({}))).QueueUrls).toEqual([own.queueUrl]);
      expect((await sns.send(new ListTopicsCommand({}))).Topics).toEqual([{ TopicArn: own.topicArn }]);
      const expected = {
        SubscriptionArn: own.subscriptionArn,
        TopicArn: own.topicArn,
        Protocol: 'sqs',
        Endpoint: queueArn(own),
        Owner: `project-${own.projectId}`,
      };
      const { topicArn: TopicArn } = own;
      for (const list of [
        new ListSubscriptionsCommand({}),
        new ListSubscriptionsByTopicCommand({ TopicArn }),
      ]) {
        expect((await sns.send(list as ListSubscriptionsCommand)).Subscriptions).toEqual([expected]);
      }
    }
  });

  it('each tenant receives its own messages only, sent and published', async () => {
    for (const { label, sqs, sns, queueUrl: QueueUrl, topicArn: TopicArn } of tenants) {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: `${label} sent` }));
      await sns.send(new PublishCommand({ TopicArn, Message: `${label} published` }));
    }
    for (const tenant of tenants) {
      expect(await drain(tenant)).toEqual([`${tenant.label} published`, `${tenant.label} sent`]);
    }
  });

  it('no tenant can read, list, subscribe to, or send dead letters to another (cross-tenant)', async () => {
    for (const tenant of tenants) {
      for (const other of tenants.filter((one) => one !== tenant)) {
        const calls = [
          ...crossTenantCalls(tenant, other),
          // A URL contains no region: the URL of the project's queue in another region is the URL of its queue here.
          ...(other.projectId === tenant.projectId ? [] : crossTenantCallsByUrl(tenant, other)),
        ];
        for (const [at, [expected, call]] of calls.entries()) {
          expect(await outcome(call()), `${tenant.label} → ${other.label}, call ${at}`).toBe(expected);
        }
      }
    }
  });
});

type CrossTenantCall = [expected: string, call: () => Promise<unknown>];

function crossTenantCallsByUrl({ sqs }: Tenant, { queueUrl: QueueUrl }: Tenant): CrossTenantCall[] {
  const missing = 'QueueDoesNotExist';
  return [
    [missing, () => sqs.send(new ReceiveMessageCommand({ QueueUrl }))],
    [missing, () => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))],
    [missing, () => sqs.send(new GetQueueAttributesCommand({ QueueUrl }))],
    [missing, () => sqs.send(new DeleteQueueCommand({ QueueUrl }))],
    [missing, () => sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl }))],
  ];
}

function crossTenantCalls({ sqs, sns, ...own }: Tenant, other: Tenant): CrossTenantCall[] {
  const missing = 'NotFoundException';
  const Endpoint = queueArn(other);
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Endpoint, maxReceiveCount: 1 });
  const Attributes = { RedrivePolicy };
  const { topicArn: TopicArn, subscriptionArn: SubscriptionArn } = other;
  const subscribe = (topic: string) => () =>
    sns.send(new SubscribeCommand({ TopicArn: topic, Protocol: 'sqs', Endpoint }));
  const redrive = {
    SubscriptionArn: own.subscriptionArn,
    AttributeName: 'RedrivePolicy',
    AttributeValue: RedrivePolicy,
  };
  return [
    [
      'InvalidParameterValue',
      () => sqs.send(new SetQueueAttributesCommand({ QueueUrl: own.queueUrl, Attributes })),
    ],
    ['InvalidParameterValue', () => sqs.send(new CreateQueueCommand({ QueueName: 'other', Attributes }))],
    [missing, () => sns.send(new PublishCommand({ TopicArn, Message: 'x' }))],
    [missing, () => sns.send(new GetTopicAttributesCommand({ TopicArn }))],
    [missing, () => sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))],
    [missing, () => sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))],
    [missing, () => sns.send(new UnsubscribeCommand({ SubscriptionArn }))],
    [missing, subscribe(TopicArn)],
    ['InvalidParameterException', subscribe(own.topicArn)],
    ['InvalidParameterException', () => sns.send(new SetSubscriptionAttributesCommand(redrive))],
  ];
}

it('credentials are unknown in another region, and those of Queues in Topics and Events', async () => {
  const credentials = await newCredentials(local, 'sqs', ALL);
  const elsewhere = sqsClient(local, { ...credentials, region: 'nl-ams' });
  expect(await outcome(elsewhere.send(new ListQueuesCommand({})))).toBe('InvalidClientTokenId');
  expect(await outcome(snsClient(local, credentials).send(new ListTopicsCommand({})))).toBe(
    'InvalidClientTokenId',
  );
  const nowhere = sqsClient(local, { ...credentials, region: 'us-east-1' });
  expect(await outcome(nowhere.send(new ListQueuesCommand({})))).toBe('SignatureDoesNotMatch');
});

it('dead letters go to a queue of the same project, which lists their source queues', async () => {
  const [{ sqs, queueUrl, ...own }] = tenants as [Tenant];
  const { QueueUrl: target } = await sqs.send(new CreateQueueCommand({ QueueName: 'dead' }));
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn(own, 'dead'), maxReceiveCount: 1 });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { RedrivePolicy } }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['RedrivePolicy'] }),
  );
  expect(JSON.parse(Attributes?.RedrivePolicy ?? '')).toEqual(JSON.parse(RedrivePolicy));
  const sources = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: target }));
  expect(sources.queueUrls).toEqual([queueUrl]);

  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'dead' }));
  for (let time = 0; time < 2; time++) {
    await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, VisibilityTimeout: 0 }));
  }
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: target }));
  expect(Messages.map(({ Body }) => Body)).toEqual(['dead']);

  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { RedrivePolicy: '' } }));
  const none = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: target }));
  expect(none.queueUrls ?? []).toEqual([]);
});
