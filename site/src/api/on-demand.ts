/** Endpoints that only code needs that loads on demand: they are not in the scripts of every page. */
import type { InferResponseType } from 'hono/client';
import { accessKeyEndpoints, client, iam, natsCredentials, region } from './api.ts';

/** The sessions of the signed-in person. */
export const sessions = iam.jwts;

/** The audit trail of the organization, and those of the regions. */
export const audit = {
  organization: client['audit-trail'].v1alpha1.events,
  region: client['audit-trail'].v1alpha1.regions[':region'].events,
};

/** Finds the credentials or API key that a key belongs to. */
export const lookup = client.mnq.v1beta1.lookup;

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

type Listed<Endpoint> = InferResponseType<Endpoint, 200>;

export type AuditEvent = Listed<typeof audit.organization.$get>['events'][number];
export type Found = Listed<typeof lookup.$get>['results'][number];
export type BrowserSession = Listed<typeof sessions.$get>['jwts'][number];
export type NatsRole = Listed<typeof natsRoles.$get>['nats_roles'][number];
