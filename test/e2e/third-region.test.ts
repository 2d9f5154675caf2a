/**
 * A third region needs no code: only an entry of `REGIONS`, a database, and a secret that `npm run deploy` and the local
 * stack create. The API, the drop-down list and the OpenAPI document then include it, and the stack starts its
 * nats-server.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultConfig, root } from '../stack/project.ts';
import { buildSite } from '../stack/site.ts';
import { api, useStack } from './local-stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-region-'));
const config = join(folder, 'wrangler.toml');
const site = join(folder, 'site');

const WARSAW = `
[vars.REGIONS.pl-waw]
label = "Warsaw"
location = "eeur"
nats_endpoint = "tls://nats.pl-waw.example.com:4222"

[[d1_databases]]
binding = "REGION_PL_WAW"
database_name = "latchkey-pl-waw"
migrations_dir = "${root}/db/region/migrations"
`;

beforeAll(async () => {
  const settings = readFileSync(defaultConfig, 'utf8')
    .replace('main = "', `main = "${root}/`)
    .replace('"./functions/', `"${root}/functions/`)
    .replace('directory = "site/dist"', `directory = "${site}"`)
    .replaceAll('migrations_dir = "', `migrations_dir = "${root}/`);
  writeFileSync(config, settings + WARSAW);
  await buildSite(config, site);
});

const local = useStack({ config });

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function newCreds(region: string): Promise<string> {
  const at = `/mnq/v1beta1/regions/${region}`;
  const account = await api<{ id: string; endpoint: string }>(local, 'POST', `${at}/nats-accounts`, {
    project_id: local.owner.project_id,
  });
  expect(account.endpoint).toBe(local.stack.nats.get(region)?.url);
  const made = await api<{ credentials: { content: string } }>(local, 'POST', `${at}/nats-credentials`, {
    nats_account_id: account.id,
  });
  return made.credentials.content;
}

async function connects(region: string, content: string): Promise<boolean> {
  const authenticator = credsAuthenticator(new TextEncoder().encode(content));
  const servers = local.stack.nats.get(region)?.url ?? '';
  try {
    await (await connect({ servers, authenticator, reconnect: false })).close();
    return true;
  } catch (error) {
    expect(String(error)).toMatch(/Authorization Violation/i);
    return false;
  }
}

it('a region added to the configuration is in the API, and its nats-server trusts its own credentials only', async () => {
  const regions = ['fr-par', 'nl-ams', 'pl-waw'];
  expect([...local.stack.nats.keys()]).toEqual(regions);
  const [paris = '', warsaw = ''] = [await newCreds('fr-par'), await newCreds('pl-waw')];
  expect(await Promise.all(regions.map((region) => connects(region, warsaw)))).toEqual([false, false, true]);
  expect(await Promise.all(regions.map((region) => connects(region, paris)))).toEqual([true, false, false]);
});

it('a region added to the configuration is in the OpenAPI document', async () => {
  const document = await api<{ paths: Record<string, { get: { parameters: { schema: object }[] } }> }>(
    local,
    'GET',
    '/openapi.json',
  );
  const { parameters } = document.paths['/mnq/v1beta1/regions/{region}/nats-accounts']?.get ?? {
    parameters: [],
  };
  expect(parameters.map(({ schema }) => schema)).toContainEqual({
    type: 'string',
    enum: ['fr-par', 'nl-ams', 'pl-waw'],
  });
});

it('a region added to the configuration is in the drop-down list of the guide', async () => {
  const page = await (await fetch(`${local.stack.origin}/how-to/create-credentials/`)).text();
  expect(page).toMatch(/<option value="pl-waw"[^>]*>\s*Warsaw/);
});
