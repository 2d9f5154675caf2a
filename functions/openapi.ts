/**
 * Generates the OpenAPI document from the schemas that validate requests. It lists the deployment's regions, so it is
 * generated on the first request and cached for the isolate's lifetime.
 */
import type { Context } from 'hono';
import type { Config } from './shared/env.ts';
import type { AppEnv, newRouter } from './shared/http.ts';

type Router = ReturnType<typeof newRouter>;

/** The members of a parameter object that are read here. */
interface Parameter {
  name?: string;
  in?: string;
  schema?: { type?: string; enum?: string[] };
}

const documents = new WeakMap<Config, object>();

/** Returns a handler that serves the OpenAPI document of these routes. */
export function openApiDocument(router: Router) {
  return (c: Context<AppEnv>) => {
    const config = c.get('config');
    const document = documents.get(config) ?? describeApi(router, [...config.regions.keys()]);
    documents.set(config, document);
    return c.json(document, 200, { 'Cache-Control': 'public, max-age=300' });
  };
}

/**
 * Returns the OpenAPI document of these routes for a deployment with these regions. The site's API reference also uses
 * it.
 */
export function describeApi(router: Router, regions: string[]) {
  const generated = router.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Latchkey',
      version: 'v1beta1',
      description:
        'Self-service credentials for NATS, Queues, and Topics and Events. Wire-compatible with Scaleway Messaging and Queuing v1beta1.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
  });
  const operations = Object.values(generated.paths ?? {}).flatMap((path) => Object.values(path ?? {}));
  for (const { parameters = [] } of operations as { parameters?: Parameter[] }[]) {
    for (const parameter of parameters) {
      if (parameter.in === 'path' && parameter.name === 'region')
        parameter.schema = { type: 'string', enum: regions };
    }
  }
  return generated;
}
