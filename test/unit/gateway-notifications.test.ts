/** Conversion of the names in a notification that a topic delivers to a queue. */
import { describe, expect, it } from 'vitest';
import type { NameContext } from '../../functions/gateway/names.ts';
import { renameNotification } from '../../functions/gateway/notifications.ts';

const PROJECT = '5f6b6a54-2f0e-4d7a-8c1d-3f1f3a3f7b10';
const context: NameContext = {
  origin: 'https://latchkey.test',
  region: 'fr-par',
  projectId: PROJECT,
  prefixes: { sqs: 'frparAAAAA', sns: 'frparBBBBB' },
  resources: null,
  engine: {
    sqsEndpoint: 'https://sqs.eu-west-3.amazonaws.com',
    snsEndpoint: 'https://sns.eu-west-3.amazonaws.com',
    region: 'eu-west-3',
    account: '111122223333',
    partition: 'aws',
    httpsSubscriptions: true,
    accessKeyId: 'AKIAOPERATOR',
    secretAccessKey: 'secret',
  },
};
const engineArn = (prefix = 'frparBBBBB') => `arn:aws:sns:eu-west-3:111122223333:${prefix}events`;
const ARN = `arn:scw:sns:fr-par:project-${PROJECT}:events`;

/** A notification as an engine formats it, with a layout that JSON.stringify would not preserve. */
const notification = (arn: string, message = 'x') => `{
  "Type" : "Notification",
  "MessageId" : "m\\u002d1",
  "TopicArn" : "${arn}",
  "Message" : ${JSON.stringify(message)},
  "Timestamp" : "2026-11-27T22:00:00.000Z",
  "Signature" : "a\\/b",
  "UnsubscribeURL" : "https://sns.eu-west-3.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=${arn}:0a1b-2c",
  "MessageAttributes" : { "TopicArn" : {"Type":"String","Value":"${arn}"} }
}`;

it('engine names become the project’s names, and nothing else changes', () => {
  const message = `{"TopicArn":"${engineArn()}"}, [\\" \u2028 😀`;
  const expected = notification(engineArn(), message)
    .replace(`"TopicArn" : "${engineArn()}"`, `"TopicArn" : "${ARN}"`)
    .replace(
      /"https:.*"/,
      `"https://latchkey.test/?Version=2010-03-31&Action=Unsubscribe&SubscriptionArn=${ARN}:0a1b-2c"`,
    );
  expect(renameNotification(context, notification(engineArn(), message))).toBe(expected);
});

it('names of a topic from an earlier activation become the project’s names too', () => {
  for (const prefixes of [context.prefixes, { sqs: 'frparAAAAA', sns: null }]) {
    const body = renameNotification({ ...context, prefixes }, notification(engineArn('frparOld00'))) ?? '';
    expect(JSON.parse(body)).toMatchObject({ TopicArn: ARN });
    expect(JSON.parse(body).UnsubscribeURL).toContain(ARN);
  }
});

it('a duplicate member is replaced twice', () => {
  const body = `{"Type":"Notification","TopicArn":"${engineArn()}","Topic\\u0041rn":"${engineArn()}"}`;
  expect(renameNotification(context, body)).toBe(
    `{"Type":"Notification","TopicArn":"${ARN}","Topic\\u0041rn":"${ARN}"}`,
  );
});

it('a link to another host is removed', () => {
  const body = notification(engineArn()).replace(/SubscriptionArn=[^"]*/, 'x=111122223333');
  expect(JSON.parse(renameNotification(context, body) ?? '')).toMatchObject({ UnsubscribeURL: '' });
});

it('the confirmation link leads to the gateway', () => {
  const body = JSON.stringify({
    Type: 'SubscriptionConfirmation',
    TopicArn: engineArn(),
    Token: 'a b',
    SubscribeURL: `https://sns.eu-west-3.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${engineArn()}&Token=a%20b`,
  });
  expect(JSON.parse(renameNotification(context, body) ?? '')).toMatchObject({
    TopicArn: ARN,
    SubscribeURL: `https://latchkey.test/?Version=2010-03-31&Action=ConfirmSubscription&TopicArn=${ARN}&Token=a%20b`,
  });
});

describe('a body that is not a notification of this region’s engine stays unchanged:', () => {
  const own = notification(engineArn());
  it.each<[string, string]>([
    ['plain text', `see ${engineArn()}`],
    ['a truncated notification', own.slice(0, -1)],
    ['an array', `[${own}]`],
    ['an unknown type', own.replace('Notification', 'Other')],
    ['a nested notification', JSON.stringify({ Type: 'Notification', TopicArn: 'a', Message: own })],
    ['a topic of another region', notification(engineArn('nlamsBBBBB'))],
    ['a topic of another account', own.replaceAll('111122223333', '444455556666')],
    ['a malformed topic', notification(engineArn('frpar..BBB'))],
    ['a topic that already has the project’s name', notification(ARN)],
  ])('%s', (_what, body) => {
    expect(renameNotification(context, body)).toBeUndefined();
  });
});
