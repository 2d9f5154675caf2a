/**
 * The access matrix, written by hand: a row for each route, a column for each kind of caller, and in each cell the
 * expected status. It imports nothing, so that it states what is required, independently of the code.
 *
 * The callers request a resource of one project. `none` sends no token, `malformed` a token that is not a UUID,
 * `unknown` an unused UUID, `expired` and `revoked` a key that was valid before. `member` belongs to the organization
 * and has no policy. `reader` has the read-only set of the route's product in the organization, `other` the full set
 * of another product, `elsewhere` the full set in another project, `full` in the whole organization, and `app` is an
 * application with the same. `owner` is the organization's Owner, `foreign` another organization's Owner, `session`
 * the Owner with a cookie, and `cross` the same cookie on a page of another site.
 */

/** The columns, in the order of the table. */
export const CALLERS = [
  'none',
  'malformed',
  'unknown',
  'expired',
  'revoked',
  'member',
  'reader',
  'other',
  'elsewhere',
  'full',
  'app',
  'owner',
  'foreign',
  'session',
  'cross',
] as const;

/** A column of the table. */
export type Caller = (typeof CALLERS)[number];

// A project that the caller cannot see is a 404 wherever a request names it, except in the filters of lists: official
// clients retry a 403 for two minutes, and treat a 404 as a deleted project.
// The first five columns and the last one are the same for every route that is not public.
const TABLE = `
route                                                          member reader other elsewhere full app owner foreign session cross

POST   /mnq/v1beta1/regions/:region/nats-accounts                 403 403 403 404 200 200 200 404 200 403
GET    /mnq/v1beta1/regions/:region/nats-accounts                 403 200 403 403 200 200 200 403 200 200
GET    /mnq/v1beta1/regions/:region/nats-accounts/:nats_account_id    403 200 403 404 200 200 200 404 200 200
PATCH  /mnq/v1beta1/regions/:region/nats-accounts/:nats_account_id    403 403 403 404 200 200 200 404 200 403
DELETE /mnq/v1beta1/regions/:region/nats-accounts/:nats_account_id    403 403 403 404 204 204 204 404 204 403
POST   /mnq/v1beta1/regions/:region/nats-credentials              403 403 403 404 200 200 200 404 200 403
GET    /mnq/v1beta1/regions/:region/nats-credentials              403 200 403 403 200 200 200 403 200 200
GET    /mnq/v1beta1/regions/:region/nats-credentials/:credentials_id  403 200 403 404 200 200 200 404 200 200
POST   /mnq/v1beta1/regions/:region/nats-credentials/:credentials_id/disable  403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/nats-credentials/:credentials_id/enable  403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/nats-credentials/:credentials_id/rotate  403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/nats-credentials/:credentials_id/rotate/finish  403 403 403 404 412 412 412 404 412 403
POST   /mnq/v1beta1/regions/:region/nats-credentials/:credentials_id/rotate/cancel  403 403 403 404 412 412 412 404 412 403
POST   /mnq/v1beta1/regions/:region/nats-credentials/batch     403 403 403 200 200 200 200 200 200 403
DELETE /mnq/v1beta1/regions/:region/nats-credentials/:credentials_id  403 403 403 404 204 204 204 404 204 403
GET    /mnq/v1beta1/regions/:region/nats-credentials/:credentials_id/connections  403 503 403 404 503 503 503 404 503 503
GET    /mnq/v1beta1/regions/:region/nats-credentials/:credentials_id/usage  403 200 403 404 200 200 200 404 200 200
GET    /mnq/v1beta1/regions/:region/nats-usage                    403 200 403 200 200 200 200 200 200 200
POST   /mnq/v1beta1/regions/:region/nats-roles                    403 403 403 404 200 200 200 404 200 403
GET    /mnq/v1beta1/regions/:region/nats-roles                    403 200 403 403 200 200 200 403 200 200
GET    /mnq/v1beta1/regions/:region/nats-roles/:nats_role_id      403 200 403 404 200 200 200 404 200 200
PATCH  /mnq/v1beta1/regions/:region/nats-roles/:nats_role_id      403 403 403 404 200 200 200 404 200 403
DELETE /mnq/v1beta1/regions/:region/nats-roles/:nats_role_id      403 403 403 404 204 204 204 404 204 403
GET    /mnq/v1beta1/regions/:region/nats-servers                  403 200 403 200 200 200 200 200 200 200

POST   /mnq/v1beta1/regions/:region/activate-sqs                  403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/deactivate-sqs                403 403 403 404 200 200 200 404 200 403
GET    /mnq/v1beta1/regions/:region/sqs-info                      403 200 403 404 200 200 200 404 200 200
GET    /mnq/v1beta1/regions/:region/queues                        403 200 403 403 200 200 200 403 200 200
POST   /mnq/v1beta1/regions/:region/sqs-credentials               403 403 403 404 200 200 200 404 200 403
GET    /mnq/v1beta1/regions/:region/sqs-credentials               403 200 403 403 200 200 200 403 200 200
GET    /mnq/v1beta1/regions/:region/sqs-credentials/:credentials_id   403 200 403 404 200 200 200 404 200 200
PATCH  /mnq/v1beta1/regions/:region/sqs-credentials/:credentials_id   403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/sqs-credentials/:credentials_id/disable  403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/sqs-credentials/:credentials_id/enable  403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/sqs-credentials/:credentials_id/rotate  403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/sqs-credentials/:credentials_id/rotate/finish  403 403 403 404 412 412 412 404 412 403
POST   /mnq/v1beta1/regions/:region/sqs-credentials/:credentials_id/rotate/cancel  403 403 403 404 412 412 412 404 412 403
POST   /mnq/v1beta1/regions/:region/sqs-credentials/batch     403 403 403 200 200 200 200 200 200 403
DELETE /mnq/v1beta1/regions/:region/sqs-credentials/:credentials_id   403 403 403 404 204 204 204 404 204 403
GET    /mnq/v1beta1/regions/:region/sqs-credentials/:credentials_id/usage  403 200 403 404 200 200 200 404 200 200
GET    /mnq/v1beta1/regions/:region/sqs-usage                     403 200 403 200 200 200 200 200 200 200

POST   /mnq/v1beta1/regions/:region/activate-sns                  403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/deactivate-sns                403 403 403 404 200 200 200 404 200 403
GET    /mnq/v1beta1/regions/:region/sns-info                      403 200 403 404 200 200 200 404 200 200
GET    /mnq/v1beta1/regions/:region/topics                        403 200 403 403 200 200 200 403 200 200
POST   /mnq/v1beta1/regions/:region/sns-credentials               403 403 403 404 200 200 200 404 200 403
GET    /mnq/v1beta1/regions/:region/sns-credentials               403 200 403 403 200 200 200 403 200 200
GET    /mnq/v1beta1/regions/:region/sns-credentials/:credentials_id   403 200 403 404 200 200 200 404 200 200
PATCH  /mnq/v1beta1/regions/:region/sns-credentials/:credentials_id   403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/sns-credentials/:credentials_id/disable  403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/sns-credentials/:credentials_id/enable  403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/sns-credentials/:credentials_id/rotate  403 403 403 404 200 200 200 404 200 403
POST   /mnq/v1beta1/regions/:region/sns-credentials/:credentials_id/rotate/finish  403 403 403 404 412 412 412 404 412 403
POST   /mnq/v1beta1/regions/:region/sns-credentials/:credentials_id/rotate/cancel  403 403 403 404 412 412 412 404 412 403
POST   /mnq/v1beta1/regions/:region/sns-credentials/batch     403 403 403 200 200 200 200 200 200 403
DELETE /mnq/v1beta1/regions/:region/sns-credentials/:credentials_id   403 403 403 404 204 204 204 404 204 403
GET    /mnq/v1beta1/regions/:region/sns-credentials/:credentials_id/usage  403 200 403 404 200 200 200 404 200 200
GET    /mnq/v1beta1/regions/:region/sns-usage                     403 200 403 200 200 200 200 200 200 200

POST   /iam/v1alpha1/applications                                 403 403 403 403 200 200 200 403 200 403
GET    /iam/v1alpha1/applications                                 403 200 403 403 200 200 200 403 200 200
GET    /iam/v1alpha1/applications/:application_id                 403 200 403 403 200 200 200 404 200 200
PATCH  /iam/v1alpha1/applications/:application_id                 403 403 403 403 200 200 200 404 200 403
DELETE /iam/v1alpha1/applications/:application_id                 403 403 403 403 204 204 204 404 204 403
POST   /iam/v1alpha1/api-keys                                     403 403 403 403 200 200 200 403 200 403
GET    /iam/v1alpha1/api-keys                                     403 200 403 403 200 200 200 403 200 200
GET    /iam/v1alpha1/api-keys/:access_key                         403 200 403 403 200 200 200 404 200 200
PATCH  /iam/v1alpha1/api-keys/:access_key                         403 403 403 403 200 200 200 404 200 403
DELETE /iam/v1alpha1/api-keys/:access_key                         403 403 403 403 204 204 204 404 204 403
POST   /iam/v1alpha1/policies                                     403 403 403 403 200 200 200 403 200 403
GET    /iam/v1alpha1/policies                                     403 200 403 403 200 200 200 403 200 200
GET    /iam/v1alpha1/policies/:policy_id                          403 200 403 403 200 200 200 404 200 200
PATCH  /iam/v1alpha1/policies/:policy_id                          403 403 403 403 200 200 200 404 200 403
DELETE /iam/v1alpha1/policies/:policy_id                          403 403 403 403 204 204 204 404 204 403
GET    /iam/v1alpha1/rules                                        403 200 403 403 200 200 200 404 200 200
PUT    /iam/v1alpha1/rules                                        403 403 403 403 200 200 200 404 200 403
GET    /iam/v1alpha1/permission-sets                              403 200 403 403 200 200 200 403 200 200
GET    /iam/v1alpha1/principal                                    200 200 200 200 200 200 200 200 200 200
GET    /mnq/v1beta1/lookup                                        403 200 200 200 200 200 200 200 200 200

GET    /iam/v1alpha1/quota                                        403 200 403 403 200 200 200 403 200 200
GET    /iam/v1alpha1/organizations/:organization_id/security-settings  403 200 403 403 200 200 200 403 200 200
PATCH  /iam/v1alpha1/organizations/:organization_id/security-settings  403 403 403 403 403 403 200 403 200 403

POST   /iam/v1alpha1/users                                        403 403 403 403 200 200 200 403 200 403
GET    /iam/v1alpha1/users                                        403 200 403 403 200 200 200 403 200 200
GET    /iam/v1alpha1/users/:user_id                               403 200 403 403 200 200 200 404 200 200
PATCH  /iam/v1alpha1/users/:user_id                               403 403 403 403 403 403 200 404 200 403
DELETE /iam/v1alpha1/users/:user_id                               403 403 403 403 204 204 204 404 204 403
GET    /iam/v1alpha1/jwts                                         403 403 403 403 403 403 403 403 200 200
DELETE /iam/v1alpha1/jwts/:jti                                    403 403 403 403 403 403 403 403 204 403

POST   /account/v3/projects                                       403 403 403 403 200 200 200 403 200 403
GET    /account/v3/projects                                       403 200 403 200 200 200 200 200 200 200
GET    /account/v3/projects/:project_id                           403 200 403 404 200 200 200 404 200 200
PATCH  /account/v3/projects/:project_id                           403 403 403 404 200 200 200 404 200 403
DELETE /account/v3/projects/:project_id                           403 403 403 404 204 204 204 404 204 403

GET    /feedback                                                  403 403 403 403 403 403 200 403 200 200

GET    /audit-trail/v1alpha1/regions/:region/events               403 200 403 403 200 200 200 403 200 200
GET    /audit-trail/v1alpha1/regions/:region/events/export        403 200 403 403 200 200 200 403 200 200
GET    /audit-trail/v1alpha1/events                               403 200 403 403 200 200 200 403 200 200
GET    /audit-trail/v1alpha1/events/export                        403 200 403 403 200 200 200 403 200 200
`;

/**
 * The number of credentials that the lookup finds by a key of the project: only callers who can read them get one.
 */
export const FOUND_BY_KEY: Readonly<Partial<Record<Caller, number>>> = {
  reader: 1,
  other: 0,
  elsewhere: 0,
  full: 1,
  app: 1,
  owner: 1,
  foreign: 0,
  session: 1,
  cross: 1,
};

/** Public routes, with the reason. */
export const PUBLIC = {
  'GET /': 'the landing page',
  'GET /healthz': 'tells that the Worker runs',
  'GET /openapi.json': 'the contract',
  'GET /metadata': 'how official clients name resources',
  'GET /jwt/v1/:region/accounts/': 'nats-servers ask it',
  'GET /jwt/v1/:region/accounts/:id': 'account JWTs are public by design',
  'POST /auth/sign-in/email': 'how a session begins',
  'POST /auth/sign-in/link': 'takes the token of a link',
  'POST /auth/sign-out': 'how a session ends, whosever it is',
  'GET /auth/get-session': 'answers null to whoever has no session',
  'GET /auth/guest': 'whether guests are let in',
  'POST /auth/guest': 'lets one in, where the operator allows it',
  'POST /auth/change-password': 'takes a session and its password',
  'POST /auth/request-password-reset': 'answers alike whoever asks',
  'POST /auth/reset-password': 'takes the token of a mail',
  'POST /auth/invitation': 'takes the token of an invitation',
  'POST /auth/accept-invitation': 'takes the token of an invitation',
  'POST /feedback': 'any reader may say whether a page helped',
} as const;

/** Route (`METHOD path`) → caller → status. */
export const EXPECTED: ReadonlyMap<string, Readonly<Record<Caller, number>>> = new Map(
  TABLE.split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => {
      const [method, path, ...cells] = line.trim().split(/\s+/);
      const statuses = [401, 401, 401, 401, 401, ...cells.map(Number)];
      const row = Object.fromEntries(CALLERS.map((caller, at) => [caller, statuses[at]]));
      return [`${method} ${path}`, row as Record<Caller, number>];
    }),
);
