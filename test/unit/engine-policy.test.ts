/** The IAM policy on the page "Connect your queue engine": which resources it covers, and that it is valid IAM. */
import { expect, it } from 'vitest';
import { engineArn, newServicePrefix } from '../../functions/gateway/names.ts';
import type { Engine } from '../../functions/shared/env.ts';
import { enginePolicy } from '../../site/src/build/engine-policy.ts';

const at = { partition: 'aws', region: 'eu-west-3', account: '111122223333' };
const policy = enginePolicy('fr-par', at);
const resourceOf = (sid: string) => policy.Statement.find(({ Sid }) => Sid === sid)?.Resource ?? '';

/** Returns whether the policy's pattern matches the ARN. */
const matches = (pattern: string, arn: string) =>
  pattern.endsWith('*') && arn.startsWith(pattern.slice(0, -1));

const arnIn = (region: string, service: 'sqs' | 'sns') => {
  const prefix = newServicePrefix(region);
  const place = {
    origin: '',
    region,
    projectId: '',
    prefixes: { sqs: prefix, sns: prefix },
    resources: null,
    engine: at as unknown as Engine,
  };
  return engineArn(place, service, 'orders');
};

it('the engine policy covers the names that the gateway uses in the region, and none of another region', () => {
  for (const [sid, service] of [
    ['Queues', 'sqs'],
    ['Topics', 'sns'],
  ] as const) {
    expect(matches(resourceOf(sid), arnIn('fr-par', service))).toBe(true);
    expect(matches(resourceOf(sid), arnIn('nl-ams', service))).toBe(false);
  }
});

it('the engine policy grants each action once, with a valid IAM name', () => {
  const actions = policy.Statement.flatMap(({ Action }) => Action);
  expect(new Set(actions).size).toBe(actions.length);
  for (const action of actions) expect(action).toMatch(/^(sqs|sns):[A-Z][A-Za-z]+(?<!Batch)$/);
});
