/** The contents of every database, to check that a test changed nothing. */
import type { D1Database } from '@cloudflare/workers-types';
import { env } from './env.ts';

const DATABASES: Record<string, D1Database> = {
  identity: env.IDENTITY,
  'fr-par': env.REGION_FR_PAR,
  'nl-ams': env.REGION_NL_AMS,
};

const TABLES = `select name from sqlite_schema where type = 'table' and name not like '\\_cf%' escape '\\'
  and name not like 'sqlite%' and name <> 'd1_migrations' order by name`;

/**
 * Returns all rows of every table: `database table` → JSON. Omits the last-use times of API keys, which are written
 * after the response.
 */
export async function everything(): Promise<Record<string, string>> {
  const found = await Promise.all(
    Object.entries(DATABASES).map(async ([database, d1]) => {
      const names = (await d1.prepare(TABLES).all<{ name: string }>()).results.map(({ name }) => name);
      if (names.length < 8) throw new Error(`the tables of ${database} were not found`);
      const results = await d1.batch(names.map((name) => d1.prepare(`select * from ${name}`)));
      return names.map((name, at) => [`${database} ${name}`, textOf(name, results[at]?.results ?? [])]);
    }),
  );
  return Object.fromEntries(found.flat());
}

const textOf = (table: string, rows: unknown[]): string =>
  JSON.stringify(rows, (member, value: unknown) =>
    table === 'api_keys' && member === 'last_used_at' ? undefined : value,
  );
