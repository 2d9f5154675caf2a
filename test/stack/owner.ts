/** The Owner of a local stack: created at the first start, with the credentials in `owner.json`. */
import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import type { Statement } from '../../db/identity/bootstrap.ts';
import { createOrganization, type Owner } from '../../functions/iam/bootstrap.ts';
import { inTransaction, openDatabase } from './databases.ts';
import { readJson, writePrivately } from './project.ts';

/** Returns a password for an Owner: 144 random bits. */
export function newPassword(): string {
  return randomBytes(18).toString('base64url');
}

/**
 * Returns the state folder's Owner from `owner.json`, created with an organization if the identity database
 * (migrated) has none. Undefined if there is an organization, but its `owner.json` was deleted.
 *
 * Safe against a kill at any moment: it writes the file under a temporary name, then the database, then renames the
 * file. A start that finds the temporary file checks the database to see how far the last start came.
 */
export async function ensureOwner(state: string, identityFile: string): Promise<Owner | undefined> {
  const file = join(state, 'owner.json');
  const draft = `${file}.new`;
  const known = read(file);
  if (known) return known;
  const database = openDatabase(identityFile);
  try {
    const organizations = database.prepare('select id from organizations').all();
    if (organizations.length > 0) {
      if (organizations[0]?.id !== read(draft)?.organization_id) return undefined;
    } else {
      await create(draft, database);
    }
  } finally {
    database.close();
  }
  renameSync(draft, file);
  return read(file);
}

/** Runs statements in one transaction. */
export function runStatements(database: DatabaseSync, statements: readonly Statement[]): void {
  inTransaction(database, () => {
    for (const { sql, params } of statements) database.prepare(sql).run(...params);
  });
}

async function create(draft: string, database: DatabaseSync): Promise<void> {
  const { owner, statements } = await createOrganization({
    organizationName: 'My organization',
    email: 'owner@example.com',
    password: newPassword(),
    now: Date.now(),
    onlyFirst: true,
  });
  writePrivately(draft, `${JSON.stringify(owner, null, 2)}\n`);
  runStatements(database, statements);
}

function read(file: string): Owner | undefined {
  return readJson(file, ownerFile, 'Restore it, or delete it and sign in with the password that you know.');
}

const text = z.string();
const ownerFile = z.object({
  organization_id: text,
  project_id: text,
  email: text,
  password: text,
  access_key: text,
  secret_key: text,
});
