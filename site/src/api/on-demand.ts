/** Endpoints that only code needs that loads on demand: they are not in the scripts of every page. */
import type { InferResponseType } from 'hono/client';
import { accessKeyEndpoints, natsCredentials, region } from './api.ts';

export const natsServers = region['nats-servers'];

export const natsRoles = region['nats-roles'];

/** The endpoints of one set of credentials, by product. */
export const credentialEndpoints = {
  nats: natsCredentials[':credentials_id'],
  sqs: accessKeyEndpoints.sqs.credentials[':credentials_id'],
  sns: accessKeyEndpoints.sns.credentials[':credentials_id'],
} as const;

export type CredentialProductId = keyof typeof credentialEndpoints;

/** The usage of several credentials, by product. */
export const usageEndpoints = {
  nats: region['nats-usage'],
  sqs: region['sqs-usage'],
  sns: region['sns-usage'],
} as const;

export type NatsRole = InferResponseType<typeof natsRoles.$get, 200>['nats_roles'][number];
