import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ALL_PERMISSIONS, PERMISSION_BITS } from '../../db/region/permissions.ts';

const migrations = join(import.meta.dirname, '../../db/region/migrations');

it('every permission has its own bit, from 1 on without gaps', () => {
  const bits = Object.values(PERMISSION_BITS);
  expect(bits).toEqual(bits.map((_, index) => 2 ** index));
  expect(ALL_PERMISSIONS).toBe(2 ** bits.length - 1);
});

it('the CHECK of the newest migration accepts exactly the permission bits', () => {
  const newest = globSync('meta/*_snapshot.json', { cwd: migrations }).sort().at(-1) ?? '';
  const { tables } = JSON.parse(readFileSync(join(migrations, newest), 'utf8'));
  const { value } = tables.credentials.checkConstraints.credentials_permissions;
  expect(value).toContain(`between 1 and ${ALL_PERMISSIONS} `);
});
