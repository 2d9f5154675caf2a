/**
 * The typed client of the API, with the types of the Worker's routes. Requests go to this origin, with the session cookie.
 */
import type { hc, InferResponseType } from 'hono/client';
import type { AccessKeyProductId } from '../../../db/products.ts';
import type { App } from '../../../functions/index.ts';
import { clientAt } from './typed-client.ts';

const client = clientAt<ReturnType<typeof hc<App>>>();

export const projects = client.account.v3.projects;

/** Organizations: the current principal, members, applications, API keys and policies. */
export const iam = client.iam.v1alpha1;

/** Readers' feedback about pages. */
export const { feedback } = client;

/** The sessions of the signed-in person. */
export const sessions = iam.jwts;

/** The audit trail of the organization, and those of the regions. */
export const audit = {
  organization: client['audit-trail'].v1alpha1.events,
  region: client['audit-trail'].v1alpha1.regions[':region'].events,
};

/** Finds the credentials or API key that a key belongs to. */
export const lookup = client.mnq.v1beta1.lookup;

/** The endpoints of a region. */
export const region = client.mnq.v1beta1.regions[':region'];

export const natsAccounts = region['nats-accounts'];

export const natsCredentials = region['nats-credentials'];

/** The endpoints of Queues and of Topics and Events, by product. */
export const accessKeyEndpoints = {
  sqs: {
    credentials: region['sqs-credentials'],
    info: region['sqs-info'],
    activate: region['activate-sqs'],
    deactivate: region['deactivate-sqs'],
    resources: region.queues,
  },
  sns: {
    credentials: region['sns-credentials'],
    info: region['sns-info'],
    activate: region['activate-sns'],
    deactivate: region['deactivate-sns'],
    resources: region.topics,
  },
} as const satisfies Record<AccessKeyProductId, object>;

/**
 * Returns the header that makes a creation safe to retry. `within` is the id of the parent: the same form for another
 * project or account is another request.
 */
export const idempotent = (key: string, within: string) => ({ 'Idempotency-Key': `${key} ${within}` });

type Listed<Endpoint> = InferResponseType<Endpoint, 200>;

export type Project = Listed<typeof projects.$get>['projects'][number];
export type CurrentPrincipal = Listed<typeof iam.principal.$get>;
export type Organization = CurrentPrincipal['organizations'][number];
export type Member = Listed<typeof iam.users.$get>['users'][number];
export type Application = Listed<typeof iam.applications.$get>['applications'][number];
export type ApiKey = Listed<(typeof iam)['api-keys']['$get']>['api_keys'][number];
export type IssuedApiKey = InferResponseType<(typeof iam)['api-keys']['$post'], 200>;
export type Policy = Listed<typeof iam.policies.$get>['policies'][number];
export type Rule = Listed<typeof iam.rules.$get>['rules'][number];
export type Feedback = Listed<typeof feedback.$get>['feedback'][number];
export type AuditEvent = Listed<typeof audit.organization.$get>['events'][number];
export type Found = Listed<typeof lookup.$get>['results'][number];
export type BrowserSession = Listed<typeof sessions.$get>['jwts'][number];
export type NatsAccount = Listed<typeof natsAccounts.$get>['nats_accounts'][number];
export type NatsCredentials = Listed<typeof natsCredentials.$get>['nats_credentials'][number];
export type AccessKeyCredentials = Listed<
  typeof accessKeyEndpoints.sqs.credentials.$get
>['sqs_credentials'][number];
export type Queue = Listed<typeof accessKeyEndpoints.sqs.resources.$get>['queues'][number];
export type Topic = Listed<typeof accessKeyEndpoints.sns.resources.$get>['topics'][number];
export type IssuedNatsCredentials = InferResponseType<typeof natsCredentials.$post, 200>;
