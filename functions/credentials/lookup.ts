/**
 * Finds the owner of a key that somebody found, for example in a log, so that it can be revoked. Queries every region
 * concurrently. A region that fails is listed as unavailable and does not affect the others.
 */
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import * as z from 'zod';
import { type Database, openDatabase } from '../../db/database.ts';
import { getApiKey } from '../../db/identity/api-keys.ts';
import { PRODUCT_IDS } from '../../db/products.ts';
import { getAccount } from '../../db/region/accounts.ts';
import { findCredential } from '../../db/region/credentials.ts';
import { authorize } from '../iam/access/authorize.ts';
import { requireScope } from '../iam/access/require-access.ts';
import { presentApiKey } from '../iam/principals/api-key-routes.ts';
import { apiKey } from '../iam/schemas.ts';
import { presentAccount } from '../nats/routes.ts';
import { natsAccount } from '../nats/schemas.ts';
import type { Region } from '../shared/env.ts';
import { ApiError, innermostCause, invalidArgument } from '../shared/errors.ts';
import { type AppEnv, errorResponses, newRouter, ok } from '../shared/http.ts';
import { ANY_PUBLIC_KEY, PUBLIC_KEYS } from '../shared/products.ts';
import * as examples from './examples.ts';
import { nats, PRODUCTS, type Product } from './products.ts';
import * as schemas from './schemas.ts';

type C = Context<AppEnv>;

/** One of the two. */
const lookupQuery = z.object({
  /** An access key `LKEY…` or `SCW…`, the public key `U…` of a NATS user, or the id `A…` of a NATS account. */
  key: z
    .string()
    .regex(
      new RegExp(`^(${ANY_PUBLIC_KEY})$`),
      'must be an access key (LKEY… or SCW…), the public key of NATS credentials (U…) or the id of a NATS account (A…)',
    )
    .optional(),
  /** The SHA-1 of a secret key, or of a whole `.creds` file, in hex: the secret itself is not sent. */
  secret_checksum: z
    .string()
    .regex(/^[0-9a-f]{40}$/, 'must be the SHA-1 of a secret key or of a .creds file: 40 lowercase hex digits')
    .optional(),
});

/** The owner of a key. Has exactly one of `credentials`, `nats_account` and `api_key`. */
const lookupResult = z
  .object({
    product: z.enum([...PRODUCT_IDS, 'api_key']),
    region: z.string().nullable(),
    project_id: z.string(),
    organization_id: z.string(),
    credentials: z.union([schemas.natsCredentials, schemas.accessKeyCredentials]).optional(),
    nats_account: natsAccount.optional(),
    api_key: apiKey.optional(),
  })
  .meta({ id: 'LookupResult' });

type Result = z.infer<typeof lookupResult>;
type LookupResponse = { results: Result[]; unavailable_regions: string[] };

/** Timeout after which a region counts as unavailable, in milliseconds. */
const REGION_TIMEOUT_MS = 5000;

/** Queries every region concurrently. Any failure is logged and the region listed as unavailable. */
async function queryRegions(
  c: C,
  find: (regionDb: Database, region: Region) => Promise<Result | null>,
): Promise<LookupResponse> {
  const response: LookupResponse = { results: [], unavailable_regions: [] };
  const regions = [...c.get('config').regions.values()];
  const found = await Promise.all(
    regions.map((region) => withTimeout(c, region, find(openDatabase(region.database), region))),
  );
  for (const [index, region] of regions.entries()) {
    const result = found[index];
    if (result === undefined) response.unavailable_regions.push(region.name);
    else if (result !== null) response.results.push(result);
  }
  return response;
}

/** Returns the result for a region, or undefined if the query fails or times out. */
async function withTimeout<Found>(c: C, region: Region, work: Promise<Found>): Promise<Found | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, REGION_TIMEOUT_MS, undefined);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    const request = { request_id: c.get('requestId'), path: c.req.path, region: region.name };
    console.error(JSON.stringify({ ...request, ...innermostCause(error) }));
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** The credentials of one of these products, in the projects where the caller may read them. */
function lookUpCredentials(
  c: C,
  by: 'key' | 'checksum',
  value: string,
  products: readonly Product[],
): Promise<LookupResponse> {
  const scopes = products.flatMap(({ id }) => {
    const scope = authorize(c.get('principal'), { resource: id, action: 'read' });
    return scope.ok ? [{ product: id, projectIds: scope.projectIds }] : [];
  });
  if (scopes.length === 0) {
    const details = products.map(({ id }) => ({ resource: id, action: 'read' }));
    throw new ApiError('permissions_denied', { details });
  }
  return queryRegions(c, async (regionDb, region) => {
    const row = await findCredential(regionDb, by, value, scopes);
    const product = row && PRODUCTS[row.product];
    return row && product
      ? {
          product: product.id,
          region: region.name,
          project_id: row.projectId,
          organization_id: row.organizationId,
          credentials: product.present(row, region.name),
        }
      : null;
  });
}

/** Finds a NATS account that the caller can read. */
function lookUpAccount(c: C, id: string): Promise<LookupResponse> {
  const { projectIds } = requireScope(c, { resource: nats.id, action: 'read' });
  return queryRegions(c, async (regionDb, region) => {
    const row = await getAccount(regionDb, { id, projectIds });
    return (
      row && {
        product: nats.id,
        region: region.name,
        project_id: row.projectId,
        organization_id: row.organizationId,
        nats_account: presentAccount(row, region),
      }
    );
  });
}

/** Finds an API key that the caller can read. API keys belong to no region. */
async function lookUpApiKey(c: C, accessKey: string): Promise<LookupResponse> {
  const { organizationIds } = requireScope(c, { resource: 'iam', action: 'read' });
  const row = await getApiKey(c.get('identityDb'), accessKey, organizationIds);
  const result = row && {
    product: 'api_key' as const,
    region: null,
    project_id: row.defaultProjectId,
    organization_id: row.organizationId,
    api_key: presentApiKey(row),
  };
  return { results: result ? [result] : [], unavailable_regions: [] };
}

function lookUp(
  c: C,
  { key, secret_checksum: checksum }: z.infer<typeof lookupQuery>,
): Promise<LookupResponse> {
  if (key !== undefined && checksum !== undefined) {
    throw invalidArgument('secret_checksum', 'constraint', 'cannot be combined with key');
  }
  if (checksum !== undefined) return lookUpCredentials(c, 'checksum', checksum, Object.values(PRODUCTS));
  if (key === undefined)
    throw invalidArgument('key', 'required', 'is required unless secret_checksum is given');
  const products = Object.values(PRODUCTS).filter(({ id }) => new RegExp(`^${PUBLIC_KEYS[id]}$`).test(key));
  if (products.length > 0) return lookUpCredentials(c, 'key', key, products);
  return key.startsWith('SCW') ? lookUpApiKey(c, key) : lookUpAccount(c, key);
}

/** The route `/mnq/v1beta1/lookup`. */
export const lookupRoutes = newRouter().openapi(
  createRoute({
    method: 'get',
    path: '/lookup',
    tags: ['Look-up'],
    summary: 'Look up a key',
    description:
      'Finds a credential in all regions by its public part, or by the SHA-1 of its secret. Never send the secret itself. A key of another organization looks like one that does not exist.',
    request: { query: lookupQuery },
    responses: {
      ...ok(z.object({ results: z.array(lookupResult), unavailable_regions: z.array(z.string()) }), {
        results: [
          {
            product: 'sqs',
            region: examples.accessKeyCredentials.region,
            project_id: examples.accessKeyCredentials.project_id,
            organization_id: '0c8f2f0e-9d1c-4c39-8a55-3a0b9a7f5e21',
            credentials: examples.accessKeyCredentials,
          },
        ],
        unavailable_regions: [],
      }),
      ...errorResponses(),
    },
  }),
  async (c) => c.json(await lookUp(c, c.req.valid('query')), 200),
);
