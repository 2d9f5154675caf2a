/**
 * The typed client of the API, made of the Worker's own type: a path or a field that does not exist does not compile.
 * Every call stays on this origin and carries the session's cookie.
 */
import type { hc, InferResponseType } from 'hono/client';
import type { AccessKeyProductId } from '../../../db/products.ts';
import type { App } from '../../../functions/index.ts';
import { clientAt } from './typed-client.ts';

const client = clientAt<ReturnType<typeof hc<App>>>();

/** The projects of the caller. */
export const projects = client.account.v3.projects;

/** What concerns organizations: who the caller is, members, programs, keys, and what they are granted. */
export const iam = client.iam.v1alpha1;

/** What readers said of the pages. */
export const { feedback } = client;

/** The sessions of the person who is signed in. */
export const sessions = iam.jwts;

/** The audit trail: the organization's own, and each region's. */
export const audit = {
  organization: client['audit-trail'].v1alpha1.events,
  region: client['audit-trail'].v1alpha1.regions[':region'].events,
};

/** Tells whose a key is. */
export const lookup = client.mnq.v1beta1.lookup;

const region = client.mnq.v1beta1.regions[':region'];

/** The NATS accounts of a region. */
export const natsAccounts = region['nats-accounts'];

/** The nats-servers of a region. */
export const natsServers = region['nats-servers'];

/** The NATS credentials of a region. */
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
 * What a creation sends along, so that sending it again can be recognised. `within` is the id of what it is created in:
 * the same words typed for another project or account are another creation.
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
export type AuditEvent = Listed<typeof audit.organization.$get>['events'][number];
export type Feedback = Listed<typeof feedback.$get>['feedback'][number];
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
