/** `npm run migrations` compares schema.ts with the migrations and writes the next one. */
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'sqlite',
  casing: 'snake_case',
  schema: './db/region/schema.ts',
  out: './db/region/migrations',
});
