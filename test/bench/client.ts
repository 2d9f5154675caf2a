/** Calls the API of a stack as the Owner, creates access-key credentials and signs requests with them. */
import { AwsClient } from 'aws4fetch';
import type { Stack } from '../stack/stack.ts';

/** Calls the API below a region as the Owner. Rejects on an error status. */
export async function request(
  { origin, owner }: Stack,
  region: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  const response = await fetch(`${origin}/mnq/v1beta1/regions/${region}${path}`, {
    method,
    headers: { 'X-Auth-Token': owner?.secret_key ?? '', 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path} returned ${response.status}`);
  return response;
}

/** Like {@link request}, but returns the response's body. */
export async function call<Answer>(...of: Parameters<typeof request>): Promise<Answer> {
  return (await (await request(...of)).json()) as Answer;
}

/** Credentials for Queues. */
export interface QueueCredentials {
  id: string;
  access_key: string;
  secret_key: string;
}

/** Creates credentials for Queues with every permission in the Owner's project. */
export function newQueueCredentials(stack: Stack, region: string): Promise<QueueCredentials> {
  return call(stack, region, 'POST', '/sqs-credentials', {
    project_id: stack.owner?.project_id,
    permissions: { can_publish: true, can_receive: true, can_manage: true },
  });
}

/** Signs a request of the SQS JSON protocol. */
export function signSqs(
  origin: string,
  region: string,
  { access_key, secret_key }: Omit<QueueCredentials, 'id'>,
  action: string,
  fields: object,
): Promise<Request> {
  const client = new AwsClient({
    accessKeyId: access_key,
    secretAccessKey: secret_key,
    region,
    service: 'sqs',
  });
  const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `AmazonSQS.${action}` };
  return client.sign(`${origin}/`, { method: 'POST', headers, body: JSON.stringify(fields) });
}
