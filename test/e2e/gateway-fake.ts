/** A stack whose region nl-ams has a fake engine, and clients there with every permission. */
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { RegionsVar } from '../../functions/shared/regions.ts';
import { type FakeEngine, startFakeEngine } from './fake-engine.ts';
import { ALL, activate, type Credentials, newCredentials, snsClient, sqsClient } from './gateway-clients.ts';
import { type LocalStack, useStack } from './local-stack.ts';

/** The engine's AWS account. */
export const ACCOUNT = '424242424242';

/** Available while the tests run. */
export interface Faked {
  local: LocalStack;
  /** Empties the engine's list of requests before each test. */
  engine: FakeEngine;
  credentials: Record<'sqs' | 'sns', Credentials>;
  sqs: SQSClient;
  sns: SNSClient;
  /** The engine's prefix of each service. */
  prefixes: Record<'sqs' | 'sns', string>;
  /** The URL of the queue `orders`, which the engine does not know yet. */
  queueUrl: string;
  /** The ARN of the topic `events`, which the engine does not know yet. */
  topicArn: string;
}

/** Starts both for the tests of this file. */
export async function useFakeEngine(): Promise<Faked> {
  const engine = await startFakeEngine();
  const local = useStack({
    vars: ({ REGIONS }: { REGIONS: RegionsVar }) => {
      const urls = { sqs_endpoint: engine.url, sns_endpoint: engine.url };
      const of = { ...urls, region: 'eu-west-3', account: ACCOUNT, https_subscriptions: true };
      return { REGIONS: { ...REGIONS, 'nl-ams': { ...REGIONS['nl-ams'], engine: of } } };
    },
  });
  afterAll(() => engine.stop());
  const faked = { local, engine } as Faked;
  beforeAll(async () => {
    const at = { region: 'nl-ams' };
    const projectId = local.owner.project_id;
    await activate(local, 'nl-ams', projectId);
    const [sqs, sns] = [
      await newCredentials(local, 'sqs', ALL, at),
      await newCredentials(local, 'sns', ALL, at),
    ];
    const database = await local.stack.database('REGION_NL_AMS');
    const { results } = await database
      .prepare('select product, prefix from services')
      .all<{ product: string; prefix: string }>();
    Object.assign(faked, {
      credentials: { sqs, sns },
      sqs: sqsClient(local, sqs),
      sns: snsClient(local, sns),
      prefixes: Object.fromEntries(results.map(({ product, prefix }) => [product, prefix])),
      queueUrl: `${local.stack.origin}/project-${projectId}/orders`,
      topicArn: `arn:scw:sns:nl-ams:project-${projectId}:events`,
    });
  });
  beforeEach(() => {
    engine.sent.length = 0;
  });
  return faked;
}

/** Returns a constant reply. */
export const answering =
  (body: string, status = 200) =>
  () => ({ status, body });

/** Returns a reply to an SNS request with this result. */
export function snsReply(action: string, inside: string) {
  return {
    status: 200,
    body: `<${action}Response><${action}Result>${inside}</${action}Result></${action}Response>`,
  };
}
