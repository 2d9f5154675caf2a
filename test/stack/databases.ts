/**
 * The D1 databases of a local stack as files: their paths in the local runtime, and their migrations. Migrations run
 * before the runtime starts, so that clients never see a partly migrated database, and in one transaction each, so
 * that a kill leaves nothing half done.
 */
import { createHash, createHmac } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Stop } from './tools.mjs';

/** A D1 database of the configuration. */
export interface LocalDatabase {
  /** The name of the binding. */
  binding: string;
  /** The SQLite file. In WAL mode, `-wal` and `-shm` files can exist next to it. */
  file: string;
  /** The folder of its migrations, an absolute path. */
  migrations: string;
}

/**
 * Returns the file in which the local runtime stores the D1 database `id`, under its folder `storage`. workerd
 * derives file names from the ID of a Durable Object; if that changed, the stack would find no tables, and its first
 * request would fail.
 */
export function databaseFile(storage: string, id: string): string {
  const object = 'miniflare-D1DatabaseObject';
  const key = createHash('sha256').update(object).digest();
  const half = (data: string | Uint8Array) => createHmac('sha256', key).update(data).digest().subarray(0, 16);
  const name = half(id);
  return join(storage, 'd1', object, `${Buffer.concat([name, half(name)]).toString('hex')}.sqlite`);
}

/** Opens a database, creating the file if needed. The caller closes it. */
export function openDatabase(file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true });
  return new DatabaseSync(file, { timeout: 5000 });
}

/**
 * Creates a database if it does not exist, and applies the pending migrations of a folder. Throws {@link Stop} if the
 * file is damaged or cannot be written.
 */
export function prepareDatabase(file: string, migrations: string): void {
  try {
    const database = openDatabase(file);
    try {
      migrate(database, migrations);
    } finally {
      database.close();
    }
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    // The low byte is SQLite's primary result code.
    const reason = errcode === undefined ? undefined : SQLITE_REASONS[errcode & 0xff];
    throw reason ? new Stop(`${file} ${reason}`) : error;
  }
}

const DAMAGED =
  'is damaged or not a database. Restore it from a backup, or delete the state folder to start over.';
const FULL = 'cannot be written: the disk is full or reports an error. Free some disk space.';
const SQLITE_REASONS: Record<number, string> = {
  8: 'cannot be written: permission denied. Change its permissions, or set LATCHKEY_STATE to another folder.',
  10: FULL,
  11: DAMAGED,
  13: FULL,
  14: 'cannot be opened. Change its permissions, or set LATCHKEY_STATE to another folder.',
  26: DAMAGED,
};

/** Runs `work` in one transaction. If it throws, rolls back and rethrows. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('begin immediate');
  try {
    const result = work();
    database.exec('commit');
    return result;
  } catch (error) {
    database.exec('rollback');
    throw error;
  }
}

/**
 * Applies the pending migrations in the order of their names, and records them in `d1_migrations` exactly as wrangler
 * does, so that either can continue where the other stopped. Returns the names of the applied migrations.
 */
export function migrate(database: DatabaseSync, migrations: string): string[] {
  database.exec(`create table if not exists "d1_migrations"(
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT UNIQUE,
    applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`);
  const applied = new Set(
    database
      .prepare('select name from d1_migrations')
      .all()
      .map((row) => row.name),
  );
  const pending = readdirSync(migrations)
    .filter((name) => name.endsWith('.sql') && !applied.has(name))
    .sort();
  for (const name of pending) {
    inTransaction(database, () => {
      database.exec(readFileSync(join(migrations, name), 'utf8'));
      database.prepare('insert into d1_migrations (name) values (?)').run(name);
    });
  }
  return pending;
}
