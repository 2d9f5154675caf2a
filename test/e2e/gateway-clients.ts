/**
 * Clients of the gateway as customers use them: the AWS SDK with Latchkey's credentials, in each of its protocols.
 * They do not retry by default, so that tests see every response.
 */
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { AwsQueryProtocol } from '@aws-sdk/core/protocols';
import { AwsClient } from 'aws4fetch';
import type { Service } from '../../functions/gateway/actions.ts';
import { api, type LocalStack } from './local-stack.ts';

/** The permissions of credentials in the API's format. */
export interface Permissions {
  can_publish: boolean;
  can_receive: boolean;
  can_manage: boolean;
}

/** Credentials as returned by their creation. */
export interface Credentials {
  id: string;
  access_key: string;
  secret_key: string;
  region: string;
  project_id: string;
}

/** The protocol of an SQS client; SNS clients use Query only. */
export type SqsProtocol = 'json' | 'query';

/** Every permission. */
export const ALL: Permissions = { can_publish: true, can_receive: true, can_manage: true };

const at = (region: string, path: string) => `/mnq/v1beta1/regions/${region}${path}`;

/** Creates another project in the Owner's organization. */
export async function newProject({ stack, owner }: Pick<LocalStack, 'stack' | 'owner'>): Promise<string> {
  const id = crypto.randomUUID();
  const identity = await stack.database('IDENTITY');
  await identity
    .prepare(
      `insert into projects (id, organization_id, name, description, status, created_at, updated_at)
       values (?, ?, ?, '', 'active', ?, ?)`,
    )
    .bind(id, owner.organization_id, id, Date.now(), Date.now())
    .run();
  return id;
}

/** Activates products for a project. */
export async function activate(
  local: LocalStack,
  region: string,
  projectId: string,
  services: readonly Service[] = ['sqs', 'sns'],
): Promise<void> {
  for (const service of services)
    await api(local, 'POST', at(region, `/activate-${service}`), { project_id: projectId });
}

/** Deactivates a product for a project. */
export async function deactivate(local: LocalStack, region: string, projectId: string, service: Service) {
  await api(local, 'POST', at(region, `/deactivate-${service}`), { project_id: projectId });
}

/** Creates credentials of a product. */
export function newCredentials(
  local: LocalStack,
  service: Service,
  permissions: Partial<Permissions>,
  { region = 'fr-par', projectId = local.owner.project_id, name = undefined as string | undefined } = {},
): Promise<Credentials> {
  const body = { project_id: projectId, name, permissions };
  return api<Credentials>(local, 'POST', at(region, `/${service}-credentials`), body);
}

/** Changes the permissions of credentials. */
export async function update(
  local: LocalStack,
  service: Service,
  { id, region }: Credentials,
  permissions: Partial<Permissions>,
): Promise<void> {
  await api(local, 'PATCH', at(region, `/${service}-credentials/${id}`), { permissions });
}

/** Revokes credentials. */
export async function revoke(
  local: LocalStack,
  service: Service,
  { id, region }: Credentials,
): Promise<void> {
  await api(local, 'DELETE', at(region, `/${service}-credentials/${id}`));
}

/** Settings of a client that differ from the defaults. */
export interface ClientSettings {
  maxAttempts?: number;
  sessionToken?: string;
}

const configurationOf = (
  { stack }: Pick<LocalStack, 'stack'>,
  { region, access_key: accessKeyId, secret_key: secretAccessKey }: Credentials,
  { maxAttempts = 1, ...session }: ClientSettings = {},
) => ({
  endpoint: stack.origin,
  region,
  maxAttempts,
  credentials: { accessKeyId, secretAccessKey, ...session },
});

/** Creates an SQS client. */
export function sqsClient(
  local: Pick<LocalStack, 'stack'>,
  credentials: Credentials,
  protocol: SqsProtocol = 'json',
  settings?: ClientSettings,
): SQSClient {
  const query = { protocol: AwsQueryProtocol } as object;
  return new SQSClient({
    ...configurationOf(local, credentials, settings),
    ...(protocol === 'query' && query),
  });
}

/** Creates an SNS client. */
export function snsClient(
  local: Pick<LocalStack, 'stack'>,
  credentials: Credentials,
  settings?: ClientSettings,
): SNSClient {
  return new SNSClient(configurationOf(local, credentials, settings));
}

/** Sends a validly signed request that no SDK would send. */
export function signedFetch(
  { stack }: Pick<LocalStack, 'stack'>,
  { access_key, secret_key, region }: Credentials,
  service: Service,
  path: string,
  init: RequestInit & { aws?: object },
): Promise<Response> {
  const client = new AwsClient({
    accessKeyId: access_key,
    secretAccessKey: secret_key,
    region,
    service,
    retries: 0,
  });
  return client.fetch(new URL(path, stack.origin).href, { method: 'POST', ...init });
}

/** Resolves to the result of a call: `ok`, or the error's name. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'ok',
    (error: Error) => error.name,
  );
}
