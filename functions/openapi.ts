/**
 * The OpenAPI document, generated from the schemas that validate. It is made at the first request for it, since it
 * lists the regions of this deployment, and kept for the isolate's life.
 */
import type { Context } from 'hono';
import type { AppEnv, newRouter } from './app.ts';
import type { Config } from './env.ts';

type Router = ReturnType<typeof newRouter>;

/** The path of a parameter object in a document, as far as it is read here. */
interface Parameter {
  name?: string;
  in?: string;
  schema?: { type?: string; enum?: string[] };
}

const documents = new WeakMap<Config, object>();

/** Answers with the document of these routes. */
export function openApiDocument(router: Router) {
  return (c: Context<AppEnv>) => {
    const config = c.get('config');
    const document = documents.get(config) ?? describeApi(router, [...config.regions.keys()]);
    documents.set(config, document);
    return c.json(document, 200, { 'Cache-Control': 'public, max-age=300' });
  };
}

/** The document of these routes in a deployment that serves these regions. The site's API reference is made of it, too. */
export function describeApi(router: Router, regions: string[]) {
  const generated = router.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Latchkey',
      version: 'v1beta1',
      description:
        'Credentials for NATS, Queues and Topics and Events. Wire-compatible with Scaleway Messaging and Queuing v1beta1.',
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
