/** Which queue policies are accepted: those that grant nothing beyond what the gateway already allows. */
import { describe, expect, it } from 'vitest';
import type { NameContext } from '../../functions/gateway/names.ts';
import { checkPolicy } from '../../functions/gateway/policy.ts';

const context = {
  origin: 'https://latchkey.test',
  region: 'fr-par',
  projectId: 'a',
  prefixes: { sqs: 'frparAAAAA', sns: 'frparBBBBB' },
  resources: null,
} as NameContext;
const QUEUE = 'arn:scw:sqs:fr-par:project-a:orders';
const TOPIC = 'arn:scw:sns:fr-par:project-a:events';
const STATEMENT = {
  Effect: 'Allow',
  Principal: { Service: 'sns.amazonaws.com' },
  Action: 'sqs:SendMessage',
  Resource: QUEUE,
  Condition: { ArnEquals: { 'aws:SourceArn': TOPIC } },
};
const check = (policy: unknown) =>
  checkPolicy(context, 'orders', typeof policy === 'string' ? policy : JSON.stringify(policy));
const checkStatement = (change: object) => check({ Statement: { ...STATEMENT, ...change } });

describe('a policy for topics of the project is accepted:', () => {
  it.each<[string, object]>([
    ['in the form of the SNS documentation', {}],
    ['with a Sid and lists', { Sid: 'a', Action: ['SQS:SendMessage'], Resource: [QUEUE] }],
    ['for every principal', { Principal: '*' }],
    ['for every account', { Principal: { AWS: '*' } }],
    ['with a list of principals', { Principal: { Service: ['sns.amazonaws.com'] } }],
    ['for a topic pattern', { Condition: { ArnLike: { 'aws:SourceArn': TOPIC.replace('events', 'ev*') } } }],
    [
      'for several topics',
      { Condition: { 'ForAnyValue:StringLike': { 'AWS:SourceArn': [TOPIC, `${TOPIC}.fifo`] } } },
    ],
    [
      'that also names the project as the topics’ account',
      {
        Condition: {
          ArnLike: { 'aws:SourceArn': TOPIC },
          StringEquals: { 'aws:SourceAccount': 'project-a' },
        },
      },
    ],
    ['for all resources, which are this queue', { Resource: '*' }],
  ])('%s', (_what, change) => {
    expect(checkStatement(change)).toBeUndefined();
  });

  it('with a version, an ID and several statements', () => {
    const policy = { Version: '2012-10-17', Id: 'x', Statement: [STATEMENT, { ...STATEMENT, Sid: 'b' }] };
    expect(check(policy)).toBeUndefined();
  });
});

describe('a policy that grants more is rejected, naming the element:', () => {
  const condition = (of: object) => ({ Condition: of });
  it.each<[string, object]>([
    ['Effect', { Effect: 'Deny' }],
    ['Effect', { Effect: undefined }],
    ['Principal', { Principal: { AWS: 'arn:aws:iam::123456789012:root' } }],
    ['Principal', { Principal: { Service: 's3.amazonaws.com' } }],
    ['Principal', { Principal: { Service: 'sns.amazonaws.com', AWS: '*' } }],
    ['Principal', { Principal: { Service: [] } }],
    ['Principal', { Principal: {} }],
    ['Principal', { Principal: undefined }],
    ['NotPrincipal', { NotPrincipal: '*' }],
    ['Action', { Action: 'sqs:*' }],
    ['Action', { Action: ['sqs:SendMessage', 'sqs:ReceiveMessage'] }],
    ['Action', { Action: [] }],
    ['Resource', { Resource: QUEUE.replace('orders', 'other') }],
    ['Resource', { Resource: QUEUE.replace('project-a', 'project-b') }],
    ['Resource', { Resource: undefined }],
    ['Condition', { Condition: undefined }],
    ['Condition', condition({})],
    ['Condition', condition({ ArnEquals: {} })],
    ['Condition', condition({ ArnEquals: { 'aws:SourceArn': [] } })],
    ['Condition', condition({ ArnEquals: { 'aws:SourceArn': '*' } })],
    ['Condition', condition({ ArnEquals: { 'aws:SourceArn': TOPIC.replace('project-a', 'project-b') } })],
    ['Condition', condition({ ArnEquals: { 'aws:SourceArn': TOPIC.replace('project-a', 'project-*') } })],
    ['Condition', condition({ ArnEquals: { 'aws:SourceArn': [TOPIC, 'arn:aws:sns:fr-par:1:x'] } })],
    ['Condition', condition({ ArnEqualsIfExists: { 'aws:SourceArn': TOPIC } })],
    ['Condition', condition({ ArnNotEquals: { 'aws:SourceArn': TOPIC } })],
    ['Condition', condition({ ArnLike: { 'aws:SourceArn': TOPIC, 'aws:PrincipalOrgID': 'o' } })],
    ['Condition', condition({ StringEquals: { 'aws:SourceAccount': 'project-a' } })],
    [
      'Condition',
      condition({ ArnLike: { 'aws:SourceArn': TOPIC }, Bool: { 'aws:SecureTransport': 'true' } }),
    ],
  ])('%s in %j', (element, change) => {
    expect(checkStatement(change)).toContain(element);
  });

  it.each<[string, unknown]>([
    ['valid JSON', '{'],
    ['object', '[]'],
    ['object', { Statement: ['a'] }],
    ['Statement', { Statement: [] }],
    ['Statement', {}],
    ['Version', { Version: '2020-01-01', Statement: STATEMENT }],
    ['Other', { Statement: STATEMENT, Other: 1 }],
    ['longer', `${' '.repeat(8192)}{}`],
  ])('%s in %j', (reason, policy) => {
    expect(check(policy)).toContain(reason);
  });
});
