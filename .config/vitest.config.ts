/**
 * Three kinds of tests: `unit` in Node, `worker` in workerd with real D1 databases, `e2e` against real servers (the
 * local stack with nats-server, official clients, Chromium). Each run generates new secrets.
 */
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { configDefaults, defineConfig } from 'vitest/config';
import { createKey } from '../functions/nats/keys.ts';
import { slowestFiles } from './slowest-files.ts';

const root = new URL('..', import.meta.url).pathname;
const seed = async (kind: 'operator' | 'account') => (await createKey(kind)).seed;
/** Returns a rate limit of `limit` requests per minute. */
const limitOf = (namespace_id: string, limit: number) => ({
  namespace_id,
  simple: { limit, period: 60 as const },
});
const sealingKey = (id: string) => ({
  id,
  key: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64'),
});

export default defineConfig({
  root,
  test: {
    // One more than the two cores of the smallest machine, because tests also wait for servers, browsers and timeouts.
    maxWorkers: 3,
    reporters: [...configDefaults.reporters, slowestFiles()],
    projects: [
      {
        root,
        // The test files of a worker share a process and its modules. Importing them again costs a second of CPU per file.
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false, testTimeout: 60_000 },
      },
      {
        root,
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: `${root}wrangler.toml` },
            miniflare: {
              // High limits, because all requests come from one address. Tests of rate limits use the tight limits.
              ratelimits: {
                RESOLVER_LIMIT: limitOf('1', 6000),
                SIGN_IN_LIMIT: limitOf('2', 100_000),
                ACCOUNT_LIMIT: limitOf('3', 100_000),
                TOKEN_LIMIT: limitOf('4', 100_000),
                TIGHT_SIGN_IN_LIMIT: limitOf('12', 12),
                TIGHT_ACCOUNT_LIMIT: limitOf('13', 5),
                TIGHT_TOKEN_LIMIT: limitOf('14', 5),
              },
              bindings: {
                // No nats-server runs here, so nothing is pushed. The e2e tests cover the servers.
                REGIONS: {
                  'fr-par': { label: 'Paris', nats_endpoint: 'nats://127.0.0.1:4222' },
                  'nl-ams': { label: 'Amsterdam', nats_endpoint: 'nats://127.0.0.1:4223' },
                },
                SEALING_KEYS: JSON.stringify([sealingKey('new'), sealingKey('old')]),
                OPERATOR_SIGNING_SEED: await seed('operator'),
                SIGN_IN_SECRET: crypto.randomUUID() + crypto.randomUUID(),
                SYSTEM_SEED_FR_PAR: await seed('account'),
                SYSTEM_SEED_NL_AMS: await seed('account'),
                MIGRATIONS: {
                  identity: await readD1Migrations(`${root}db/identity/migrations`),
                  region: await readD1Migrations(`${root}db/region/migrations`),
                },
              },
            },
          })),
        ],
        test: {
          name: 'worker',
          include: ['test/worker/**/*.test.ts'],
          setupFiles: ['test/worker/setup.ts'],
          testTimeout: 60_000,
        },
      },
      {
        root,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/build.ts'],
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
});
