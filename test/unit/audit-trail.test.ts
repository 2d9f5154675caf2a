/**
 * The audit trail is append-only: apart from retention, no statement of the application updates or deletes its rows.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url);

const sources = ['db', 'functions'].flatMap((folder) =>
  readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(`${folder}/${name}`, ROOT), 'utf8')),
);

it('only retention deletes audit rows, and nothing updates them', () => {
  const statements = (pattern: RegExp) => sources.flatMap((source) => source.match(pattern) ?? []);
  expect(statements(/insert into audit_events/g).length).toBeGreaterThan(0);
  expect(statements(/(update|replace into|drop table|alter table)\s+audit_events/gi)).toEqual([]);
  expect(statements(/delete\s+from\s+audit_events[^;`]*/gi)).toEqual([
    expect.stringContaining('order by id limit'),
  ]);
  expect(statements(/\.(insert|update|delete)\(auditEvents/g)).toEqual([]);
});
