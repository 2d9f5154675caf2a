/** Credentials that are restricted to queues and topics by name, and to IP addresses. The engine is a function. */
import { AwsClient } from 'aws4fetch';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { actions } from '../../functions/gateway/actions.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { envWithEngine } from './env.ts';
import { clientOf, newOwner, ORIGIN, rows } from './harness.ts';

const ALL = { can_publish: true, can_receive: true, can_manage: true };
const NAMES = ['orders', 'orders-eu', 'ordersX', 'billing', 'invoices.fifo'];

let owner: Owner;
const prefixes: Record<string, string> = {};
let calls: number;

beforeAll(async () => {
  owner = await newOwner();
  for (const product of ['sqs', 'sns'])
    await clientOf(owner, 'fr-par').post(`/activate-${product}`, { project_id: owner.project_id });
  const services = await rows<{ product: string; prefix: string }>(
    'fr-par',
    'select product, prefix from services where project_id = ?',
    owner.project_id,
  );
  for (const { product, prefix } of services) prefixes[product] = prefix;
});

beforeEach(async () => {
  for (const name of NAMES) {
    await rows(
      'fr-par',
      'insert or replace into queues (prefix, name, asked_at, dead_letter_queue) values (?, ?, 1, ?)',
      prefixes.sqs,
      name,
      'orders',
    );
    await rows(
      'fr-par',
      'insert or replace into topics (prefix, name, asked_at) values (?, ?, 1)',
      prefixes.sns,
      name,
    );
    const subscription =
      'insert or replace into subscriptions (prefix, topic, id, protocol, endpoint, created_at) values (?, ?, ?, ?, ?, 1)';
    await rows('fr-par', subscription, prefixes.sns, name, 'id', 'https', 'https://example.com');
  }
  calls = 0;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => {
    calls++;
    return Response.json({});
  });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Creates credentials. Returns how to send a request with them and change them; it returns the response's text. */
async function credentials(product: 'sqs' | 'sns', restrictions: object) {
  const api = clientOf(owner, 'fr-par');
  const body = { project_id: owner.project_id, permissions: ALL, ...restrictions };
  const made = (await api.post(`/${product}-credentials`, body)).body;
  const signer = new AwsClient({
    accessKeyId: made.access_key,
    secretAccessKey: made.secret_key,
    region: 'fr-par',
    service: product,
  });
  const send = async (action: string, fields: Record<string, string> = {}, address?: string) => {
    const form = new URLSearchParams({ Action: action, ...fields }).toString();
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const request = await signer.sign(`${ORIGIN}/`, { method: 'POST', headers, body: form });
    request.headers.set('Host', new URL(ORIGIN).host);
    if (address !== undefined) request.headers.set('CF-Connecting-IP', address);
    const sent = new Request(request.url, { method: 'POST', headers: request.headers, body: form });
    return (await app.fetch(sent, envWithEngine)).text();
  };
  const update = async (change: object) =>
    (await api.patch(`/${product}-credentials/${made.id}`, change)).body;
  return { send, update };
}

const codeOf = (text: string) => /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? 'ok';
const arn = (service: string, name: string) =>
  `arn:scw:${service}:fr-par:project-${owner.project_id}:${name}`;
const url = (name: string) => `${ORIGIN}/project-${owner.project_id}/${name}`;
const tagged = (text: string, tag: string) =>
  [...text.matchAll(new RegExp(`<${tag}>[^<]*?([^/:<]+)</${tag}>`, 'g'))].map(([, name]) => name).sort();

/** The actions of a service that name a resource by this field first. */
const naming = (service: 'sqs' | 'sns', field: string) =>
  Object.entries(actions[service])
    .filter(([, { requires, input }]) => requires !== 'refused' && field in input.members)
    .map(([name]) => name);

describe('credentials with resources', () => {
  const MISSING = 'AWS.SimpleQueueService.NonExistentQueue';

  it.each(naming('sqs', 'QueueUrl'))('reach only the queues that match: %s', async (action) => {
    const { send } = await credentials('sqs', { resources: ['orders-*', 'billing'] });
    for (const name of ['orders', 'ordersX', 'billing-eu', 'invoices.fifo'])
      for (const form of [url(name), `/project-${owner.project_id}/${name}`, name])
        expect(codeOf(await send(action, { QueueUrl: form })), form).toBe(MISSING);
    expect(calls).toBe(0);
    for (const name of ['orders-eu', 'billing'])
      expect(codeOf(await send(action, { QueueUrl: url(name) })), name).not.toBe(MISSING);
  });

  it.each([
    ...naming('sns', 'TopicArn').map((action) => [action, 'TopicArn', ''] as const),
    ...naming('sns', 'SubscriptionArn').map((action) => [action, 'SubscriptionArn', ':id'] as const),
  ])('reach only the topics that match: %s', async (action, field, end) => {
    const { send } = await credentials('sns', { resources: ['orders-*'] });
    for (const name of ['orders', 'billing'])
      expect(codeOf(await send(action, { [field]: arn('sns', name) + end })), name).toBe('NotFound');
    expect(calls).toBe(0);
    expect(codeOf(await send(action, { [field]: arn('sns', 'orders-eu') + end }))).not.toBe('NotFound');
  });

  it('create only queues and topics that match', async () => {
    const queues = await credentials('sqs', { resources: ['orders-*'] });
    const topics = await credentials('sns', { resources: ['orders-*'] });
    expect(codeOf(await queues.send('CreateQueue', { QueueName: 'billing' }))).toBe('AccessDenied');
    expect(codeOf(await topics.send('CreateTopic', { Name: 'billing' }))).toBe('AuthorizationError');
    expect(calls).toBe(0);
    expect(codeOf(await queues.send('GetQueueUrl', { QueueName: 'billing' }))).toBe(MISSING);
    await queues.send('CreateQueue', { QueueName: 'orders-new' });
    await topics.send('CreateTopic', { Name: 'orders-new' });
    expect(calls).toBe(2);
  });

  it('list what matches', async () => {
    const queues = await credentials('sqs', { resources: ['orders-*', 'invoices.fifo'] });
    const topics = await credentials('sns', { resources: ['orders-*', 'invoices.fifo'] });
    const lists = [
      tagged(await queues.send('ListQueues'), 'QueueUrl'),
      tagged(await topics.send('ListTopics'), 'TopicArn'),
      tagged(await topics.send('ListSubscriptions'), 'TopicArn'),
    ];
    for (const names of lists) expect(names).toEqual(expect.arrayContaining(['invoices.fifo', 'orders-eu']));
    for (const names of lists) expect(names).not.toEqual(expect.arrayContaining(['orders']));
    for (const names of lists) expect(names).not.toEqual(expect.arrayContaining(['billing']));
    const sources = await credentials('sqs', { resources: ['orders', 'billing'] });
    const listed = await sources.send('ListDeadLetterSourceQueues', { QueueUrl: url('orders') });
    expect(tagged(listed, 'QueueUrl')).toEqual(['billing', 'orders']);
  });

  it('deliver and redrive only to queues that match', async () => {
    const queues = await credentials('sqs', { resources: ['orders-*'] });
    const topics = await credentials('sns', { resources: ['orders-*'] });
    const redrive = (name: string) => ({
      QueueUrl: url('orders-eu'),
      'Attribute.1.Name': 'RedrivePolicy',
      'Attribute.1.Value': JSON.stringify({ deadLetterTargetArn: arn('sqs', name), maxReceiveCount: 2 }),
    });
    const subscribe = (name: string) => ({
      TopicArn: arn('sns', 'orders-eu'),
      Protocol: 'sqs',
      Endpoint: arn('sqs', name),
    });
    expect(codeOf(await queues.send('SetQueueAttributes', redrive('billing')))).not.toBe('ok');
    expect(codeOf(await topics.send('Subscribe', subscribe('billing')))).not.toBe('ok');
    expect(calls).toBe(0);
    expect(codeOf(await queues.send('SetQueueAttributes', redrive('orders-dead')))).toBe('ok');
  });

  it('are restricted and released by an update, from the next request', async () => {
    const { send, update } = await credentials('sqs', {});
    const read = async () => codeOf(await send('GetQueueAttributes', { QueueUrl: url('billing') }));
    expect(await read()).not.toBe(MISSING);
    expect((await update({ resources: ['orders-*'] })).resources).toEqual(['orders-*']);
    expect(await read()).toBe(MISSING);
    expect((await update({ name: 'same' })).resources).toEqual(['orders-*']);
    expect((await update({ resources: null })).resources).toBeNull();
    expect(await read()).not.toBe(MISSING);
  });

  it.each([[[]], [['a b']], [['*a']], [Array.from({ length: 21 }, () => 'a')], [['']]])(
    'cannot be %j',
    async (resources) => {
      const body = { project_id: owner.project_id, permissions: ALL, resources };
      const response = await clientOf(owner, 'fr-par').post('/sqs-credentials', body);
      expect([response.status, response.body.details[0].argument_name]).toEqual([
        400,
        expect.stringMatching(/^resources/),
      ]);
    },
  );
});

describe('credentials with source IPs', () => {
  it.each(['sqs', 'sns'] as const)('are denied from elsewhere: %s', async (product) => {
    const source_ips = ['192.0.2.0/24', '198.51.100.7/32', '2001:db8:1::/48'];
    const { send, update } = await credentials(product, { source_ips });
    const action = product === 'sqs' ? 'ListQueues' : 'ListTopics';
    const denied = product === 'sqs' ? 'AccessDenied' : 'AuthorizationError';
    const from = async (address?: string) => codeOf(await send(action, {}, address));
    for (const inside of [
      '192.0.2.0',
      '192.0.2.255',
      '198.51.100.7',
      '2001:db8:1::',
      '2001:DB8:1:ffff:ffff:ffff:ffff:ffff',
      '::ffff:192.0.2.1',
    ])
      expect(await from(inside), inside).toBe('ok');
    for (const outside of [
      '192.0.1.255',
      '192.0.3.0',
      '198.51.100.6',
      '198.51.100.8',
      '2001:db8:0:ffff::1',
      '2001:db8:2::',
      '::ffff:192.0.3.1',
      '::1',
      '',
      'unknown',
      undefined,
    ])
      expect(await from(outside), String(outside)).toBe(denied);
    await update({ source_ips: ['0.0.0.0/0'] });
    expect([await from('203.0.113.1'), await from('2001:db8:1::')]).toEqual(['ok', denied]);
    await update({ source_ips: null });
    expect(await from('2001:db8:1::')).toBe('ok');
  });

  it.each([[[]], [['192.0.2.1']], [['192.0.2.0/33']], [['::/129']], [['host/24']]])(
    'cannot be %j',
    async (source_ips) => {
      const body = { project_id: owner.project_id, permissions: ALL, source_ips };
      const response = await clientOf(owner, 'fr-par').post('/sqs-credentials', body);
      expect([response.status, response.body.details[0].argument_name]).toEqual([
        400,
        expect.stringMatching(/^source_ips/),
      ]);
    },
  );
});
