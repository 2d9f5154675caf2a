/** Everything that is written down, to see that something changed nothing. */
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
 * The rows of every table of every database: `database table` → JSON. Without the times at which API keys were last used,
 * which are noted after answers.
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
