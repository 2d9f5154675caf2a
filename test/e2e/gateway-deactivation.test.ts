/**
 * Deactivation deletes a product's credentials, queues, topics and subscriptions, even after an engine outage, and
 * its cleanup never affects a later activation.
 */
import {
  CreateTopicCommand,
  ListSubscriptionsCommand,
  ListTopicsCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import {
  ALL,
  activate,
  deactivate,
  newCredentials,
  newProject,
  outcome,
  snsClient,
  sqsClient,
} from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';

const local = useStack();

/** The names of all queues on the engine, with their prefixes. */
async function queuesOnEngine(): Promise<string[]> {
  const response = await fetch(`${local.stack.engines.get('fr-par')?.url}/_fauxqs/queues`);
  return ((await response.json()) as { name: string }[]).map(({ name }) => name).sort();
}

/** The ARNs of all topics and subscriptions on the engine, bypassing the gateway. */
async function onEngine(): Promise<{ topics: string[]; subscriptions: string[] }> {
  const client = new SNSClient({
    endpoint: local.stack.engines.get('fr-par')?.url ?? '',
    region: 'fr-par',
    credentials: { accessKeyId: 'ENGINEOPERATOR', secretAccessKey: 'local' },
  });
  const { Topics = [] } = await client.send(new ListTopicsCommand({}));
  const { Subscriptions = [] } = await client.send(new ListSubscriptionsCommand({}));
  return {
    topics: Topics.map(({ TopicArn }) => TopicArn ?? '').sort(),
    subscriptions: Subscriptions.map(({ SubscriptionArn }) => SubscriptionArn ?? '').sort(),
  };
}

async function rows(sql: string): Promise<unknown[]> {
  return (await (await local.stack.database('REGION_FR_PAR')).prepare(sql).all()).results;
}

/** A project with two queues, two topics and a subscription. */
async function newTenant() {
  const projectId = await newProject(local);
  await activate(local, 'fr-par', projectId);
  const sqs = sqsClient(local, await newCredentials(local, 'sqs', ALL, { projectId }));
  const sns = snsClient(local, await newCredentials(local, 'sns', ALL, { projectId }));
  for (const name of ['a', 'b']) {
    await sqs.send(new CreateQueueCommand({ QueueName: name }));
    await sns.send(new CreateTopicCommand({ Name: name }));
  }
  const arn = (service: string) => `arn:scw:${service}:fr-par:project-${projectId}:a`;
  const Endpoint = arn('sqs');
  await sns.send(new SubscribeCommand({ TopicArn: arn('sns'), Protocol: 'sqs', Endpoint }));
  return { projectId, sqs, sns };
}

/** Moves past deactivations back in time, so that no request can still be in flight. */
const ageDeactivations = () => rows('update deactivations set since = since - 60000 returning 1');

it('deactivation deletes the queues immediately, with their subscriptions, and none of other tenants', async () => {
  const before = await queuesOnEngine();
  const other = await newTenant();
  const others = await onEngine();
  const { projectId, sqs, sns } = await newTenant();
  expect((await onEngine()).subscriptions).toHaveLength(others.subscriptions.length + 1);
  await deactivate(local, 'fr-par', projectId, 'sqs');
  expect(await queuesOnEngine()).toHaveLength(before.length + 2);
  expect(await outcome(sqs.send(new ListQueuesCommand({})))).toBe('InvalidClientTokenId');
  await ageDeactivations();
  await local.stack.schedule();
  expect((await onEngine()).subscriptions).toEqual(others.subscriptions);
  expect((await onEngine()).topics).toHaveLength(others.topics.length + 2);
  expect((await sns.send(new ListSubscriptionsCommand({}))).Subscriptions ?? []).toEqual([]);
  expect((await sns.send(new ListTopicsCommand({}))).Topics).toHaveLength(2);
  expect((await other.sqs.send(new ListQueuesCommand({}))).QueueUrls).toHaveLength(2);
  expect(await rows('select * from deactivations')).toEqual([]);
});

it('deactivation deletes topics, with their subscriptions', async () => {
  const before = await onEngine();
  const { projectId, sns } = await newTenant();
  const { topics, subscriptions } = await onEngine();
  expect([topics.length, subscriptions.length]).toEqual([
    before.topics.length + 2,
    before.subscriptions.length + 1,
  ]);
  await deactivate(local, 'fr-par', projectId, 'sns');
  expect(await outcome(sns.send(new ListTopicsCommand({})))).toBe('InvalidClientTokenId');
  await ageDeactivations();
  await local.stack.schedule();
  expect(await onEngine()).toEqual(before);
  const [left] = await rows(`select (select count(*) from topics t join services s on s.prefix = t.prefix
    where s.project_id = '${projectId}') as topics, (select count(*) from deactivations) as deactivations`);
  expect(left).toEqual({ topics: 0, deactivations: 0 });
});

it('deactivation interrupted by an engine outage is finished by the schedule, without affecting a new activation', async () => {
  const before = await queuesOnEngine();
  const { projectId } = await newTenant();
  const engine = local.stack.engines.get('fr-par');
  await engine?.stop();
  await deactivate(local, 'fr-par', projectId, 'sqs');
  expect(local.logged.splice(0).every((line) => line.includes('unavailable'))).toBe(true);
  await activate(local, 'fr-par', projectId, ['sqs']);
  await engine?.start();
  expect(await queuesOnEngine()).toHaveLength(before.length + 2);

  const sqs = sqsClient(local, await newCredentials(local, 'sqs', ALL, { projectId }));
  expect((await sqs.send(new ListQueuesCommand({}))).QueueUrls ?? []).toEqual([]);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'a' }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'new' }));

  await ageDeactivations();
  await local.stack.schedule();
  expect(await queuesOnEngine()).toHaveLength(before.length + 1);
  expect((await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages).toHaveLength(1);
  expect(await rows('select * from deactivations')).toEqual([]);
});

it('deactivation interrupted by an engine outage is finished by a retry', async () => {
  const before = await queuesOnEngine();
  const { projectId } = await newTenant();
  const engine = local.stack.engines.get('fr-par');
  await engine?.stop();
  await deactivate(local, 'fr-par', projectId, 'sqs');
  local.logged.splice(0);
  await engine?.start();
  await expect(deactivate(local, 'fr-par', projectId, 'sqs')).rejects.toThrow('404');
  expect(await queuesOnEngine()).toEqual(before);
  await ageDeactivations();
  await local.stack.schedule();
});

it('an activation returns its endpoint and its status', async () => {
  const projectId = await newProject(local);
  const info = () => api(local, 'GET', `/mnq/v1beta1/regions/fr-par/sqs-info?project_id=${projectId}`);
  expect(await info()).toMatchObject({ status: 'disabled', sqs_endpoint_url: local.stack.origin });
  await activate(local, 'fr-par', projectId, ['sqs']);
  expect(await info()).toMatchObject({ status: 'enabled', sqs_endpoint_url: local.stack.origin });
});

it('each activation gets a unique prefix, which begins with the region', async () => {
  const projectId = await newProject(local);
  const prefixes = new Set<string>();
  for (let time = 0; time < 3; time++) {
    await activate(local, 'fr-par', projectId, ['sqs']);
    const [row] = await rows(`select prefix from services where project_id = '${projectId}'`);
    prefixes.add((row as { prefix: string }).prefix);
    await deactivate(local, 'fr-par', projectId, 'sqs');
  }
  expect(prefixes.size).toBe(3);
  for (const prefix of prefixes) expect(prefix).toMatch(/^frpar[0-9A-Za-z]{5}$/);
});
