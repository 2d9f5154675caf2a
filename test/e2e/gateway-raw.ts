/** Sends requests that no SDK would send, validly signed, and parses their responses. */
import { request } from 'node:http';
import { CreateTopicCommand, type SNSClient } from '@aws-sdk/client-sns';
import { CreateQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { AwsClient } from 'aws4fetch';
import { expect } from 'vitest';
import type { Service } from '../../functions/gateway/actions.ts';
import {
  ALL,
  activate,
  type Credentials,
  newCredentials,
  signedFetch,
  snsClient,
  sqsClient,
} from './gateway-clients.ts';
import type { LocalStack } from './local-stack.ts';

/** A project with a queue and a topic, both named `mine`, and credentials with every permission. */
export interface Raw {
  credentials: Record<Service, Credentials>;
  sqs: SQSClient;
  sns: SNSClient;
  queueUrl: string;
  topicArn: string;
  /** The engine's prefixes, of Queues and of Topics. */
  prefixes: [string, string];
  /** Sends a Query request. */
  query(service: Service, body: string, path?: string): Promise<Response>;
  /** Sends a JSON request. */
  json(action: string, body: string): Promise<Response>;
  /** Returns a response's status and error code, and expects that the response contains no engine name. */
  resultOf(response: Response | Promise<Response>): Promise<string>;
}

/** The content type of Query requests. */
export const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

/** Creates the {@link Raw} clients. */
export async function rawClients(local: LocalStack): Promise<Raw> {
  await activate(local, 'fr-par', local.owner.project_id);
  const credentials = {
    sqs: await newCredentials(local, 'sqs', ALL),
    sns: await newCredentials(local, 'sns', ALL),
  };
  const sqs = sqsClient(local, credentials.sqs);
  const sns = snsClient(local, credentials.sns);
  const queue = await sqs.send(new CreateQueueCommand({ QueueName: 'mine' }));
  const topic = await sns.send(new CreateTopicCommand({ Name: 'mine' }));
  const database = await local.stack.database('REGION_FR_PAR');
  const { results } = await database
    .prepare('select prefix from services order by product desc')
    .all<{ prefix: string }>();
  const prefixes = results.map(({ prefix }) => prefix) as [string, string];
  const engine = local.stack.engines.get('fr-par')?.url ?? '';
  return {
    credentials,
    sqs,
    sns,
    queueUrl: queue.QueueUrl as string,
    topicArn: topic.TopicArn as string,
    prefixes,
    query: (service, body, path = '/') =>
      signedFetch(local, credentials[service], service, path, { headers: FORM, body }),
    json: (action, body) => {
      const target = `AmazonSQS.${action}`;
      const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': target };
      return signedFetch(local, credentials.sqs, 'sqs', '/', { headers, body });
    },
    resultOf: async (response) =>
      tell(await response, [...prefixes, '000000000000', 'ENGINEOPERATOR', engine]),
  };
}

async function tell(response: Response, secrets: readonly string[]): Promise<string> {
  const text = await response.text();
  for (const secret of secrets) expect(text + JSON.stringify([...response.headers])).not.toContain(secret);
  const code = /<Code>(.*)<\/Code>/.exec(text)?.[1] ?? /"__type":"[^#]*#(\w+)"/.exec(text)?.[1];
  return `${response.status} ${code ?? ''}`.trim();
}

/**
 * Begins a validly signed POST and returns a function that resets its connection. Without a reset, the local runtime
 * treats a closed connection as a client that still listens, which the production edge does not.
 */
export async function breakable(
  { stack }: Pick<LocalStack, 'stack'>,
  { access_key, secret_key, region }: Credentials,
  service: Service,
  headers: Record<string, string>,
  body: string,
): Promise<() => void> {
  const client = new AwsClient({ accessKeyId: access_key, secretAccessKey: secret_key, region, service });
  const signed = await client.sign(`${stack.origin}/`, { method: 'POST', headers, body });
  const sent = request(stack.origin, { method: 'POST', headers: Object.fromEntries(signed.headers) });
  sent.on('error', () => {});
  sent.end(body);
  return () => sent.socket?.resetAndDestroy();
}
