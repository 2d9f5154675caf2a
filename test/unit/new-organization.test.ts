/** Passwords of existing users when the operator creates another organization for them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { verifyPassword } from '../../functions/iam/sign-in/passwords.ts';
import { migrate, openDatabase } from '../stack/databases.ts';
import { localAccess, NotVerified, newOrganization } from '../stack/new-organization.ts';
import { root } from '../stack/project.ts';

const EMAIL = 'ada@example.com';
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-organization-'));
  file = join(folder, 'identity.sqlite');
  const database = openDatabase(file);
  migrate(database, join(root, 'db/identity/migrations'));
  database.close();
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the statements, then the query, and returns its rows. */
function rows(...statements: string[]): Record<string, unknown>[] {
  const database = openDatabase(file);
  try {
    const last = statements.pop() ?? '';
    for (const statement of statements) database.exec(statement);
    return database.prepare(last).all();
  } finally {
    database.close();
  }
}

const create = (name: string, newPassword = false) =>
  newOrganization(localAccess(file), { name, email: EMAIL, newPassword });

const isValid = async (password: string | null) => {
  const [method] = rows('select password from sign_in_methods');
  return verifyPassword({ hash: String(method?.password), password: password ?? '' });
};

it('a password that the operator set stays valid in the new organization', async () => {
  const { password } = await create('first');
  expect((await create('second')).password).toBeNull();
  expect(await isValid(password)).toBe(true);
});

it('a password chosen through a link that another person could see is not valid there until it is changed', async () => {
  const first = await create('first');
  const before = rows(
    'update users set email_verified = 0',
    `insert into sessions (id, token, user_id, expires_at, created_at, updated_at) select 's', 't', id, 9e15, 1, 1 from users`,
    `insert into verifications (id, identifier, value, expires_at, created_at, updated_at)
       select 'v', 'i', id, 9e15, 1, 1 from users`,
    'select * from memberships',
  );
  await expect(create('second')).rejects.toThrow(NotVerified);
  expect(rows('select * from memberships')).toEqual(before);
  const second = await create('second', true);
  expect([await isValid(first.password), await isValid(second.password)]).toEqual([false, true]);
  expect(rows('select id from sessions union all select id from verifications')).toEqual([]);
  expect(rows(`select organization_id from audit_events where resource = 'passwords'`)).toEqual([
    { organization_id: first.organization_id },
  ]);
  expect((await create('third')).password).toBeNull();
});

it('an invited user without a password becomes verified, because the password is new', async () => {
  rows(
    `insert into users (id, name, email, email_verified, created_at, updated_at) values ('u', '', '${EMAIL}', 0, 1, 1)`,
    'select 1',
  );
  const { password } = await create('first');
  expect([await isValid(password), rows('select id, email_verified as v from users')]).toEqual([
    true,
    [{ id: 'u', v: 1 }],
  ]);
});
