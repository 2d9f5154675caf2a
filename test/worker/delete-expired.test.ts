/** Deletion of expired rows by the schedule, at a cost that does not grow with the number of live rows. */
import { expect, it } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { deleteExpiredRows } from '../../db/identity/delete-expired.ts';
import worker from '../../functions/index.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { identityRows, newOwner } from './harness.ts';
import { newUser } from './matrix-callers.ts';

const DAY = 24 * 3600 * 1000;
const TABLES = ['sessions', 'verifications', 'invitations'] as const;

/** Inserts a row that expires at `expiresAt` into each table, for an invited user. Returns the user's ID. */
async function insertExpiring(organizationId: string, expiresAt: number): Promise<string> {
  const id = await newUser(organizationId, false);
  const insert = (sql: string) => env.IDENTITY.prepare(sql).bind(id, expiresAt, organizationId);
  await env.IDENTITY.batch([
    insert(`insert into sessions (id, token, user_id, expires_at, created_at, updated_at)
      select ?1, ?1, ?1, ?2, 1, 1 where ?3 is not null`),
    insert(`insert into verifications (id, identifier, value, expires_at, created_at, updated_at)
      select ?1, ?1, ?1, ?2, 1, 1 where ?3 is not null`),
    insert(`insert into invitations (user_id, organization_id, token_hash, expires_at, created_at)
      values (?1, ?3, ?1, ?2, 1)`),
  ]);
  return id;
}

const remainingTables = async (userId: string) => {
  const found = await Promise.all(
    TABLES.map((table) => {
      const column = { sessions: 'user_id', verifications: 'value', invitations: 'user_id' }[table];
      return identityRows(`select 1 from ${table} where ${column} = ?`, userId);
    }),
  );
  return TABLES.filter((_table, at) => found[at]?.length);
};

it('the schedule deletes expired sessions and links, and invitations 30 days later, but keeps the invited users', async () => {
  const { organization_id } = await newOwner();
  const now = Date.now();
  const [good, ended, old] = [
    await insertExpiring(organization_id, now + DAY),
    await insertExpiring(organization_id, now - 1),
    await insertExpiring(organization_id, now - 31 * DAY),
  ];
  await worker.scheduled({} as never, env, {} as never);
  expect([await remainingTables(good), await remainingTables(ended), await remainingTables(old)]).toEqual([
    TABLES,
    ['invitations'],
    [],
  ]);
  expect(await identityRows('select 1 from memberships where user_id = ?', old)).toHaveLength(1);
});

it('expired rows are found through an index and deleted in batches', async () => {
  const { organization_id } = await newOwner();
  for (let i = 0; i < 10; i++) await insertExpiring(organization_id, Date.now() + DAY);
  for (let i = 0; i < 3; i++) await insertExpiring(organization_id, i);
  const deleteExpired = async () => {
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const ends = { sessions: 10, verifications: 10, invitations: 10 };
    const deleted = await deleteExpiredRows(openDatabase(counted(env.IDENTITY, cost)), ends, 2);
    return { deleted, ...cost };
  };
  expect(await deleteExpired()).toMatchObject({ deleted: 2, trips: 1 });
  expect(await deleteExpired()).toMatchObject({ deleted: 1 });
  const { deleted, rowsRead } = await deleteExpired();
  expect(deleted).toBe(0);
  // A table scan would read the ten live rows of each table.
  expect(rowsRead).toBeLessThan(10);
});
