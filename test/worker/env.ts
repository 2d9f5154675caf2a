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
