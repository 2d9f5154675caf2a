/** What has expired is forgotten by the schedule, at a cost that does not grow with what is still good. */
import { expect, it } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { forgetExpired } from '../../db/identity/expired.ts';
import worker from '../../functions/index.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { identityRows, newOwner } from './harness.ts';
import { newUser } from './matrix-callers.ts';

const DAY = 24 * 3600 * 1000;
const TABLES = ['sessions', 'verifications', 'invitations'] as const;

/** A row of each table for somebody who is invited, that expires at this time. Returns the person's id. */
async function expiring(organizationId: string, expiresAt: number): Promise<string> {
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

const left = async (userId: string) => {
  const found = await Promise.all(
    TABLES.map((table) => {
      const column = { sessions: 'user_id', verifications: 'value', invitations: 'user_id' }[table];
      return identityRows(`select 1 from ${table} where ${column} = ?`, userId);
    }),
  );
  return TABLES.filter((_table, at) => found[at]?.length);
};

it('goes when its time is over, an invitation some weeks later; who was invited stays', async () => {
  const { organization_id } = await newOwner();
  const now = Date.now();
  const [good, ended, old] = [
    await expiring(organization_id, now + DAY),
    await expiring(organization_id, now - 1),
    await expiring(organization_id, now - 31 * DAY),
  ];
  await worker.scheduled({} as never, env, {} as never);
  expect([await left(good), await left(ended), await left(old)]).toEqual([TABLES, ['invitations'], []]);
  expect(await identityRows('select 1 from memberships where user_id = ?', old)).toHaveLength(1);
});

it('is found by an index, a portion at a time', async () => {
  const { organization_id } = await newOwner();
  for (let i = 0; i < 10; i++) await expiring(organization_id, Date.now() + DAY);
  for (let i = 0; i < 3; i++) await expiring(organization_id, i);
  const forget = async () => {
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const ends = { sessions: 10, verifications: 10, invitations: 10 };
    const deleted = await forgetExpired(openDatabase(counted(env.IDENTITY, cost)), ends, 2);
    return { deleted, ...cost };
  };
  expect(await forget()).toMatchObject({ deleted: 2, trips: 1 });
  expect(await forget()).toMatchObject({ deleted: 1 });
  const { deleted, rowsRead } = await forget();
  expect(deleted).toBe(0);
  // A scan reads the ten of each table that are still good.
  expect(rowsRead).toBeLessThan(10);
});
