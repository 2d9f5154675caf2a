/**
 * Tries keys that were just generated, with one signed request from the page: to look something up, so that nothing is
 * changed and every permission will do. Keeps nothing. Loaded when somebody wants to know.
 */
import { AwsV4Signer } from 'aws4fetch';
import type { KeyedCredentials } from './api.ts';
import type { KeyedId, KeyedProduct } from './keyed.ts';
import { regionLabel } from './place-fields.ts';
import { UNANSWERED } from './problems.ts';

interface Trial {
  headers: Record<string, string>;
  body: string;
}

const lookUp = (action: string, fields: object): Trial => ({
  headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `AmazonSQS.${action}` },
  body: JSON.stringify(fields),
});

const TRIALS: Record<KeyedId, (permissions: KeyedCredentials['permissions']) => Trial> = {
  sqs: ({ can_manage }) =>
    can_manage
      ? lookUp('ListQueues', { MaxResults: 1 })
      : lookUp('GetQueueUrl', { QueueName: `latchkey-test-${crypto.randomUUID()}` }),
  sns: () => ({
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'Action=ListTopics&Version=2010-03-31',
  }),
};

/** Resolves to what came of it, for a person. */
export async function tryKeys(
  { access_key: accessKeyId, secret_key: secretAccessKey, region, permissions }: KeyedCredentials,
  { id: service, label }: KeyedProduct,
  endpoint: string,
): Promise<string> {
  const began = performance.now();
  try {
    const trial = { url: endpoint, method: 'POST', ...TRIALS[service](permissions) };
    const signer = new AwsV4Signer({ ...trial, accessKeyId, secretAccessKey, region, service });
    const { url, ...request } = await signer.sign();
    const answer = await fetch(url, { ...request, body: trial.body });
    const refusal = answer.ok ? '' : await answer.text();
    const took = Math.round(performance.now() - began);
    // There is no queue of that name: to say so, it has accepted the signature.
    if (answer.ok || refusal.includes('QueueDoesNotExist')) {
      return `Accepted by ${label} in ${regionLabel(region)}, after ${took} ms.`;
    }
    return answer.status === 403
      ? `Refused by ${label} in ${regionLabel(region)}. Were these credentials revoked meanwhile?`
      : `${label} in ${regionLabel(region)} cannot tell now. Try again in a moment.`;
  } catch {
    return `${UNANSWERED}.`;
  }
}
