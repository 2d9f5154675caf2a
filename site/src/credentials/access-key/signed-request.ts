/** Sends a request with a signature, like a client of Queues or of Topics and Events. Does not store keys. */
import { AwsV4Signer } from 'aws4fetch';
import type { AccessKeyCredentials } from '../../api/api.ts';
import type { AccessKeyProductId } from './products.ts';

/** A request that changes nothing. */
export interface LookUp {
  /** The name of the action in the product's protocol. */
  action: string;
  headers: Record<string, string>;
  body: string;
}

export type Outcome = 'accepted' | 'denied' | 'unknown';

const ofQueues = (action: string, fields: object): LookUp => ({
  action,
  headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `AmazonSQS.${action}` },
  body: JSON.stringify(fields),
});

/** Lists at most one resource. For Queues, this requires Manage. */
export const LISTING: Record<AccessKeyProductId, LookUp> = {
  sqs: ofQueues('ListQueues', { MaxResults: 1 }),
  sns: {
    action: 'ListTopics',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'Action=ListTopics&Version=2010-03-31',
  },
};

/** Looks up a queue that does not exist, which every permission allows. */
export const noQueue = (): LookUp =>
  ofQueues('GetQueueUrl', { QueueName: `latchkey-test-${crypto.randomUUID()}` });

/** Sends a request to `endpoint`. `code` is the error code of the protocol: `InvalidClientTokenId`. Never rejects. */
export async function send(
  { access_key: accessKeyId, secret_key: secretAccessKey, region }: AccessKeyCredentials,
  service: AccessKeyProductId,
  endpoint: string,
  { headers, body }: LookUp,
): Promise<{ outcome: Outcome; code: string; answered: boolean }> {
  try {
    const trial = { url: endpoint, method: 'POST', headers, body };
    const signer = new AwsV4Signer({ ...trial, accessKeyId, secretAccessKey, region, service });
    const { url, ...request } = await signer.sign();
    const answer = await fetch(url, { ...request, body });
    const code = answer.ok ? '' : codeOf(answer.headers, await answer.text());
    // The error that the queue does not exist means that the signature was accepted.
    const accepted = answer.ok || code.endsWith('NonExistentQueue');
    const outcome = accepted ? 'accepted' : answer.status === 403 ? 'denied' : 'unknown';
    return { outcome, code, answered: true };
  } catch {
    return { outcome: 'unknown', code: '', answered: false };
  }
}

function codeOf(headers: Headers, body: string): string {
  return headers.get('x-amzn-query-error')?.split(';')[0] ?? /<Code>([^<]*)/.exec(body)?.[1] ?? '';
}
