/** The command on the page "Back up and restore" that corrects counts that do not match the rows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { codeOf } from '../e2e/pages.ts';
import { migrate, openDatabase } from '../stack/databases.ts';
import { root } from '../stack/project.ts';

it('the recount command corrects the counts of accounts, roles, credentials and revocations', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-recount-'));
  const database = openDatabase(join(folder, 'region.sqlite'));
  try {
    migrate(database, join(root, 'db/region/migrations'));
    const account = `A${'B'.repeat(55)}`;
    const accounts = (id: string, project: string, deleted: string) => `insert into nats_accounts
      (id, organization_id, project_id, name, signing_key, sealed_signing_seed, sealing_key_id, revision, issued_at,
       acknowledged_revision, acknowledged_servers, servers, created_at, updated_at, deleted_at)
      values ('${id}', 'one', '${project}', 'n', 'k', 's', '1', 1, 1, 1, 0, 0, 1, 1, ${deleted})`;
    const credentials = (
      id: string,
      product: string,
      account: string,
      permissions: string,
    ) => `insert into credentials
      (id, product, organization_id, project_id, nats_account_id, name, key, checksum, permissions, created_at, updated_at)
      values ('${id}', '${product}', 'one', 'one', ${account}, 'n', '${id}', 'c', ${permissions}, 1, 1)`;
    for (const statement of [
      accounts(account, 'one', 'null'),
      accounts('second', 'two', 'null'),
      accounts('deleted', 'one', '1'),
      credentials('1', 'nats', `'${account}'`, 'null'),
      credentials('2', 'sqs', 'null', '1'),
      credentials('3', 'sqs', 'null', '2'),
      `insert into nats_roles (id, organization_id, project_id, nats_account_id, name, definition, size, signing_key,
        sealed_signing_seed, sealing_key_id, created_at, updated_at)
        values ('role', 'one', 'one', '${account}', 'n', '{}', 1, 'k', 's', '1', 1, 1)`,
      `insert into nats_revocations (account_id, user_key, revoked_at, issued_at) values ('${account}', 'U', 1, 1)`,
      // The first project has the organization's ID.
      `insert into counts (scope, resource, value) values ('organization:one', 'nats_accounts', 9),
        ('one', 'nats_accounts', 9), ('two', 'nats_accounts', 9), ('one', 'nats', 9), ('one', 'sqs', 9),
        ('one', 'sns', 9), ('one', 'nats_roles', 9), ('${account}', 'nats', 9), ('${account}', 'nats_revocations', 9)`,
      ...codeOf('operate/backup', 'sql'),
    ]) {
      database.exec(statement);
    }
    const rows = database.prepare('select scope, resource, value from counts').all() as Record<
      string,
      unknown
    >[];
    expect(Object.fromEntries(rows.map((row) => [`${row.scope} ${row.resource}`, row.value]))).toEqual({
      'organization:one nats_accounts': 2,
      'one nats_accounts': 1,
      'two nats_accounts': 1,
      'one nats': 1,
      'one sqs': 2,
      'one sns': 0,
      'one nats_roles': 1,
      [`${account} nats`]: 1,
      [`${account} nats_revocations`]: 1,
    });
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
});
