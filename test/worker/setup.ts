/** Gives each test file empty, migrated databases: real D1 in workerd. */
import { applyD1Migrations, reset } from 'cloudflare:test';
import { env } from './env.ts';

// The test files of a worker share a runtime, and thus its storage.
await reset();
await applyD1Migrations(env.IDENTITY, env.MIGRATIONS.identity);
await applyD1Migrations(env.REGION_FR_PAR, env.MIGRATIONS.region);
await applyD1Migrations(env.REGION_NL_AMS, env.MIGRATIONS.region);
