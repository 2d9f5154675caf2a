/** The OpenAPI document matches the app: every operation, its errors, and valid examples. */
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { app } from '../../functions/index.ts';
import { env } from './env.ts';
import { call } from './harness.ts';

type Content = Record<string, { schema: Record<string, unknown>; example?: unknown }>;
interface Operation {
  summary?: string;
  tags?: string[];
  parameters?: {
    in: string;
    name: string;
    required?: boolean;
    schema: { enum?: string[]; pattern?: string };
  }[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
}

let document: Document;
let operations: [name: string, operation: Operation][];

beforeAll(async () => {
  const response = await call('GET', '/openapi.json');
  expect(response.status).toBe(200);
  document = response.body as unknown as Document;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
});

/** Returns a validator of a schema in the document, based on zod's JSON Schema reader. */
function validator(schema: Record<string, unknown>): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')));
}

describe('the OpenAPI document', () => {
  it('contains exactly the routes of the control plane', () => {
    const routes = app.routes
      .filter(
        ({ method, path }) =>
          method !== 'ALL' && /^\/(mnq|account|iam|audit-trail|feedback)(\/|$)/.test(path),
      )
      .map(({ method, path }) => `${method} ${path.replaceAll(/:([a-z_]+)/g, '{$1}')}`);
    expect(operations.map(([name]) => name).sort()).toEqual([...new Set(routes)].sort());
  });

  it('has a summary, a tag, an example and the errors of each operation', () => {
    for (const [name, operation] of operations) {
      expect(operation, name).toMatchObject({ summary: expect.any(String), tags: [expect.any(String)] });
      const { 200: success, 204: silent } = operation.responses;
      expect(success ?? silent, name).toBeDefined();
      if (success) expect(Object.values(success.content ?? {})[0]?.example, name).toBeDefined();
      else expect(name).toMatch(/^DELETE |^POST \/feedback$/);
      for (const status of ['400', '401', '403', '500', '503']) {
        expect([name, Object.keys(operation.responses)]).toSatisfy(() =>
          Boolean(operation.responses[status]?.content),
        );
      }
      if (operation.requestBody) {
        expect(operation.requestBody.required).toBe(true);
        expect(operation.requestBody.content['application/json']?.example, name).toBeDefined();
        for (const status of ['413', '415'])
          expect(operation.responses[status], `${name} ${status}`).toBeDefined();
      }
    }
  });

  it('has an Idempotency-Key parameter for each creation of credentials, accounts, projects and API keys', () => {
    const creations = operations.filter(([, { summary = '' }]) =>
      /^Create .*(credentials|account|project|API key)$/.test(summary),
    );
    expect(creations.length).toBeGreaterThanOrEqual(4);
    for (const [name, { parameters = [] }] of creations) {
      const parameter = parameters.find((one) => one.name === 'Idempotency-Key');
      expect(parameter, name).toMatchObject({ in: 'header', schema: { pattern: expect.any(String) } });
      expect(parameter?.required ?? false, name).toBe(false);
    }
  });

  it('has examples that its schemas accept', () => {
    let examples = 0;
    for (const [name, operation] of operations) {
      const bodies = [operation.requestBody?.content, operation.responses['200']?.content];
      for (const content of bodies.flatMap((body) => Object.values(body ?? {}))) {
        expect(validator(content.schema).safeParse(content.example).error?.issues, name).toBeUndefined();
        examples++;
      }
    }
    expect(examples).toBeGreaterThan(30);
  });

  it('lists the configured regions, including an added one', async () => {
    const regionsOf = (operation: Operation | undefined) =>
      operation?.parameters?.find((parameter) => parameter.name === 'region')?.schema.enum;
    for (const [name, operation] of operations) {
      if (name.includes('{region}')) expect(regionsOf(operation)).toEqual(['fr-par', 'nl-ams']);
    }
    const REGIONS = {
      ...(env.REGIONS as object),
      'pl-waw': { label: 'Warsaw', location: 'eeur', nats_endpoint: 'tls://nats.pl-waw.example.com:4222' },
    };
    const three = {
      ...env,
      REGIONS,
      REGION_PL_WAW: env.REGION_FR_PAR,
      SYSTEM_SEED_PL_WAW: env.SYSTEM_SEED_FR_PAR,
    };
    const response = await call('GET', '/openapi.json', { env: three });
    const paths = response.body.paths as unknown as Document['paths'];
    expect(regionsOf(paths['/mnq/v1beta1/regions/{region}/nats-accounts']?.get)).toEqual([
      'fr-par',
      'nl-ams',
      'pl-waw',
    ]);
  });

  it('describes the authentication method', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.components.securitySchemes).toMatchObject({
      token: { in: 'header', name: 'X-Auth-Token' },
    });
  });
});
