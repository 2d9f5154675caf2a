/**
 * The Worker: assembles the app from its parts and handles the remaining requests. One origin serves the gateway, the
 * control plane, the resolver for nats-servers, sign-in and the static pages. Static pages except `/` do not run the
 * Worker.
 */
import type { D1Database, ExecutionContext, ScheduledController } from '@cloudflare/workers-types';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { openDatabase, unavailableDatabase } from '../db/database.ts';
import { deleteExpiredIdempotencyKeys } from '../db/idempotency.ts';
import { deleteOldAuditEvents } from './audit/retention.ts';
import { organizationAuditRoutes, regionAuditRoutes } from './audit/routes.ts';
import { endDueCredentials } from './credentials/end-due.ts';
import { lookupRoutes } from './credentials/lookup.ts';
import { type ProductId, queues, topicsAndEvents } from './credentials/products.ts';
import { reseal } from './credentials/reseal.ts';
import { accessKeyCredentialsRoutes, natsCredentialsRoutes, serviceRoutes } from './credentials/routes.ts';
import { natsUsageRoutes, requestUsageRoutes } from './credentials/usage-routes.ts';
import { feedbackRoutes } from './feedback/routes.ts';
import { cleanUp } from './gateway/cleanup.ts';
import { inventoryRoutes } from './gateway/inventory-routes.ts';
import { gateway } from './gateway/routes.ts';
import { invitationRoutes } from './iam/members/invitation-routes.ts';
import { userRoutes } from './iam/members/user-routes.ts';
import { organizationRoutes } from './iam/organization-routes.ts';
import { policyRoutes } from './iam/policies/policy-routes.ts';
import { ruleRoutes } from './iam/policies/rule-routes.ts';
import { apiKeyRoutes } from './iam/principals/api-key-routes.ts';
import { applicationRoutes } from './iam/principals/application-routes.ts';
import { principalRoutes } from './iam/principals/principal-routes.ts';
import { quotaRoutes } from './iam/quota-routes.ts';
import { authenticate } from './iam/sign-in/authenticate.ts';
import { deleteExpiredRecords } from './iam/sign-in/delete-expired.ts';
import { passwordRoutes } from './iam/sign-in/password-routes.ts';
import { sessionRoutes } from './iam/sign-in/session-routes.ts';
import { signInRoutes } from './iam/sign-in/sign-in-routes.ts';
import { repair } from './nats/repair.ts';
import { resolver } from './nats/resolver.ts';
import { natsRoleRoutes } from './nats/role-routes.ts';
import { natsAccountRoutes } from './nats/routes.ts';
import { natsServerRoutes } from './nats/server-routes.ts';
import { openApiDocument } from './openapi.ts';
import { resumeProjectDeletions } from './projects/delete-project.ts';
import { deleteExpiredGuests, guestRoutes } from './projects/guests.ts';
import { projectRoutes } from './projects/project-routes.ts';
import { type Bindings, configOf } from './shared/env.ts';
import { ApiError, innermostCause, invalidArgument } from './shared/errors.ts';
import { type AppEnv, MAX_BODY_BYTES, newRouter, TRANSPORT_SECURITY, useRegion } from './shared/http.ts';
import { runJob } from './shared/jobs.ts';
import { UnknownSealingKey } from './shared/sealing.ts';

const MNQ = '/mnq/v1beta1';
const REGION = `${MNQ}/regions/:region` as const;
const ACCOUNT = '/account/v3';
const IAM = '/iam/v1alpha1';
const AUDIT = '/audit-trail/v1alpha1';
const AUDIT_REGION = `${AUDIT}/regions/:region` as const;

/** Time limit for cleaning up in a scheduled run, in milliseconds: per region, and per job in identity. */
const CLEANUP_MS = 20_000;

const app = newRouter();

// First, because signed requests get a response in their own protocol, whatever their path.
app.use(gateway);
// `/` is shared with the gateway, so the Worker must serve the landing page itself.
app.get('/', (c) => c.env.ASSETS.fetch(c.req.raw as never) as never);
app.use(async (c, next) => {
  c.set('requestId', crypto.randomUUID());
  c.set('config', configOf(c.env));
  await next();
  c.res.headers.set('X-Request-Id', c.get('requestId'));
  c.res.headers.set('X-Content-Type-Options', 'nosniff');
  c.res.headers.set('Strict-Transport-Security', TRANSPORT_SECURITY);
  c.res.headers.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store');
});
app.use(
  methodNotAllowed({
    app,
    onMethodNotAllowed: (_c, methods) =>
      new ApiError('method_not_allowed', {}, { Allow: methods.sort().join(', ') }).toResponse(),
  }),
);
for (const path of ['/mnq/*', '/account/*', '/iam/*', '/audit-trail/*']) {
  app.use(path, authenticate);
}
app.use(`${REGION}/*`, useRegion);
app.use(`${AUDIT_REGION}/*`, useRegion);
app.use(
  bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => {
      throw new ApiError('payload_too_large', {});
    },
  }),
);

app.openAPIRegistry.registerComponent('securitySchemes', 'token', {
  type: 'apiKey',
  in: 'header',
  name: 'X-Auth-Token',
  description: 'The secret key of an API key.',
});
/** Product → its routes. A type cannot check that each is mounted below; a test does. */
const productRoutes = {
  nats: { credentials: natsCredentialsRoutes(), usage: natsUsageRoutes() },
  sqs: {
    service: serviceRoutes(queues),
    credentials: accessKeyCredentialsRoutes(queues),
    usage: requestUsageRoutes(queues),
  },
  sns: {
    service: serviceRoutes(topicsAndEvents),
    credentials: accessKeyCredentialsRoutes(topicsAndEvents),
    usage: requestUsageRoutes(topicsAndEvents),
  },
} satisfies Record<ProductId, object>;

const routes = app
  .route(REGION, natsAccountRoutes)
  .route(REGION, natsRoleRoutes)
  .route(REGION, natsServerRoutes)
  .route(REGION, productRoutes.nats.credentials)
  .route(REGION, productRoutes.nats.usage)
  .route(REGION, productRoutes.sqs.service)
  .route(REGION, productRoutes.sqs.credentials)
  .route(REGION, productRoutes.sqs.usage)
  .route(REGION, productRoutes.sns.service)
  .route(REGION, productRoutes.sns.credentials)
  .route(REGION, productRoutes.sns.usage)
  .route(REGION, inventoryRoutes)
  .route(MNQ, lookupRoutes)
  .route(ACCOUNT, projectRoutes)
  .route(IAM, principalRoutes)
  .route(IAM, userRoutes)
  .route(IAM, sessionRoutes)
  .route(IAM, applicationRoutes)
  .route(IAM, apiKeyRoutes)
  .route(IAM, policyRoutes)
  .route(IAM, ruleRoutes)
  .route(IAM, quotaRoutes)
  .route(IAM, organizationRoutes)
  .route('/', feedbackRoutes)
  .route(AUDIT, organizationAuditRoutes)
  .route(AUDIT_REGION, regionAuditRoutes);
app.route('/auth', signInRoutes);
app.route('/auth', passwordRoutes);
app.route('/auth', invitationRoutes);
app.route('/auth', guestRoutes);
app.route('/jwt/v1', resolver);
app.get('/openapi.json', openApiDocument(app));
app.get('/healthz', (c) => c.text('ok'));
// The Go SDK builds each resource's SRN from this, and requests it again on nearly every call until it exists.
app.get('/metadata', (c) =>
  c.json({ platform: 'external', partition: 'latchkey', domain: new URL(c.req.url).host }),
);

app.notFound((c) =>
  new ApiError('not_found', { resource: 'endpoint', resource_id: c.req.path }).toResponse(),
);
app.onError((error, c) => refusalOf(error, c).toResponse());

/** Returns the error for the client. Unexpected errors are logged, and only their status is disclosed. */
function refusalOf(error: Error, c: Context<AppEnv>): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof HTTPException && error.status === 415)
    return new ApiError('unsupported_media_type', {});
  if (error instanceof HTTPException && error.status === 400) {
    return invalidArgument('body', 'format', 'must be valid JSON');
  }
  console.error(
    JSON.stringify({ request_id: c.get('requestId'), path: c.req.path, ...innermostCause(error) }),
  );
  // This isolate does not have the new key yet: a retry can reach one that has.
  if (error instanceof UnknownSealingKey) {
    return new ApiError('unavailable', { resource: error.region }, { 'Retry-After': '5' });
  }
  const failure = unavailableDatabase(error);
  if (!failure) return new ApiError('internal_error', {});
  const regions = [...c.get('config').regions.values()];
  const resource = regions.find(({ database }) => database === failure.database)?.name ?? 'identity';
  return new ApiError('unavailable', { resource }, { 'Retry-After': '5' });
}

/** Type of the site's typed client: `hc<App>`. */
export type App = typeof routes;

export { AccountPublisher } from './nats/publisher.ts';
/** The app, for tests that call it without a server. */
export { app };

export default {
  fetch: app.fetch,

  /**
   * Runs the scheduled jobs. Databases are processed independently, so that one that is down does not block the
   * others.
   */
  async scheduled(
    _controller: ScheduledController,
    env: Bindings,
    _context: ExecutionContext,
  ): Promise<void> {
    const config = configOf(env);
    const { identity } = config;
    const deadline = Date.now() + CLEANUP_MS;
    const forget = (database: D1Database) =>
      openDatabase(database).all(deleteExpiredIdempotencyKeys(Date.now()));
    const jobs = [...config.regions.values()].flatMap((region) => [
      runJob('audit retention', region.name, () => deleteOldAuditEvents(config, region.database)),
      runJob('reseal', region.name, () => reseal(region, config.sealingKeys)),
      runJob('end credentials', region.name, () => endDueCredentials(config, region, deadline)),
      repair(config, region),
      runJob('clean up', region.name, () => cleanUp(region, undefined, deadline)),
      runJob('idempotency keys', region.name, () => forget(region.database)),
    ]);
    jobs.push(
      runJob('idempotency keys', 'identity', () => forget(identity)),
      runJob('audit retention', 'identity', () => deleteOldAuditEvents(config, identity)),
      runJob('project deletions', 'identity', () => resumeProjectDeletions(config, deadline)),
      runJob('expired guests', 'identity', () => deleteExpiredGuests(config, deadline)),
      runJob('expired rows', 'identity', () => deleteExpiredRecords(identity, deadline)),
    );
    // Fail the run, so that Cloudflare's list of runs shows it. The log has the details.
    if ((await Promise.all(jobs)).includes(false)) throw new Error('Scheduled jobs failed; see the log');
  },
};
