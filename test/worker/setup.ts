/** Migrates each test file's databases: real D1 in workerd. */
import { applyD1Migrations } from 'cloudflare:test';
import { env } from './env.ts';

await applyD1Migrations(env.IDENTITY, env.MIGRATIONS.identity);
await applyD1Migrations(env.REGION_FR_PAR, env.MIGRATIONS.region);
await applyD1Migrations(env.REGION_NL_AMS, env.MIGRATIONS.region);
