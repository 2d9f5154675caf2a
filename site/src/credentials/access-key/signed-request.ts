/**
 * A request that a page signs with keys, as a client of Queues or of Topics and Events would. Keeps nothing of the keys.
 * Loaded when somebody wants to try some.
 */
import { AwsV4Signer } from 'aws4fetch';
import type { AccessKeyCredentials } from '../../api/api.ts';
import type { AccessKeyProductId } from './products.ts';

/** Something to ask of a product that changes nothing. */
export interface LookUp {
  /** The action, as the product's protocol names it. */
  action: string;
  headers: Record<string, string>;
  body: string;
}

/** What came of it. */
export type Outcome = 'accepted' | 'denied' | 'unknown';

const ofQueues = (action: string, fields: object): LookUp => ({
  action,
  headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `AmazonSQS.${action}` },
  body: JSON.stringify(fields),
});

/** Lists what a product holds, at most one of it. For Queues that takes Manage. */
export const LISTING: Record<AccessKeyProductId, LookUp> = {
  sqs: ofQueues('ListQueues', { MaxResults: 1 }),
  sns: {
    action: 'ListTopics',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'Action=ListTopics&Version=2010-03-31',
  },
};

/** Looks up a queue that there is not: whatever the permissions are, the answer is that there is none. */
export const noQueue = (): LookUp =>
  ofQueues('GetQueueUrl', { QueueName: `latchkey-test-${crypto.randomUUID()}` });

/**
 * Sends a request to the product at `endpoint`. `code` is the protocol's own, of a refusal: `InvalidClientTokenId`.
 * Never rejects.
 */
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
    // There is no queue of that name: to say so, it has accepted the signature.
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
