/** The IAM policy of the page "Connect your queue engine": whose names it opens, and that it is written as IAM reads it. */
import { expect, it } from 'vitest';
import { engineArn, newServicePrefix } from '../../functions/gateway/names.ts';
import type { Engine } from '../../functions/shared/env.ts';
import { enginePolicy } from '../../site/src/build/engine-policy.ts';

const at = { partition: 'aws', region: 'eu-west-3', account: '111122223333' };
const policy = enginePolicy('fr-par', at);
const resourceOf = (sid: string) => policy.Statement.find(({ Sid }) => Sid === sid)?.Resource ?? '';

/** Whether the pattern of a policy is that of an ARN. */
const matches = (pattern: string, arn: string) =>
  pattern.endsWith('*') && arn.startsWith(pattern.slice(0, -1));

const arnIn = (region: string, service: 'sqs' | 'sns') => {
  const prefix = newServicePrefix(region);
  const place = {
    origin: '',
    region,
    projectId: '',
    prefixes: { sqs: prefix, sns: prefix },
    engine: at as unknown as Engine,
  };
  return engineArn(place, service, 'orders');
};

it('names what the gateway allots in the region, and nothing of another region', () => {
  for (const [sid, service] of [
    ['Queues', 'sqs'],
    ['Topics', 'sns'],
  ] as const) {
    expect(matches(resourceOf(sid), arnIn('fr-par', service))).toBe(true);
    expect(matches(resourceOf(sid), arnIn('nl-ams', service))).toBe(false);
  }
});

it('grants every right once, under a name that IAM has', () => {
  const rights = policy.Statement.flatMap(({ Action }) => Action);
  expect(new Set(rights).size).toBe(rights.length);
  for (const right of rights) expect(right).toMatch(/^(sqs|sns):[A-Z][A-Za-z]+(?<!Batch)$/);
});
