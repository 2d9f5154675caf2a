/// <reference types="@cloudflare/vitest-plugin/types" />
/** The typed environment of the test Worker. */

import { env as untyped } from 'cloudflare:test';
import type { D1Migration } from '@cloudflare/vitest-plugin';
import type { D1Database, RateLimit } from '@cloudflare/workers-types';
import type { Bindings } from '../../functions/shared/env.ts';

interface TestBindings extends Bindings {
  REGION_FR_PAR: D1Database;
  REGION_NL_AMS: D1Database;
  TIGHT_SIGN_IN_LIMIT: RateLimit;
  TIGHT_ACCOUNT_LIMIT: RateLimit;
  TIGHT_TOKEN_LIMIT: RateLimit;
  MIGRATIONS: { identity: D1Migration[]; region: D1Migration[] };
}

export const env = untyped as unknown as TestBindings;

const ENGINE = 'http://engine.test';

/** Bindings of a Worker whose only region, fr-par, has an engine. Tests take its place by mocking `fetch`. */
export const envWithEngine = {
  ...env,
  REGIONS: {
    'fr-par': {
      label: 'Paris',
      nats_endpoint: 'nats://127.0.0.1:4222',
      engine: { sqs_endpoint: ENGINE, sns_endpoint: ENGINE, region: 'eu-west-3', account: '1' },
    },
  },
  ENGINE_KEY_FR_PAR: '{"access_key_id":"operator","secret_access_key":"secret"}',
};
