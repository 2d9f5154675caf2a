/**
 * Ended activations whose resources have not all been removed from the engine. The batch that ends an activation
 * inserts them, so that a failure afterwards loses nothing.
 */
import { type SQL, sql } from 'drizzle-orm';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import type { AccessKeyProductId } from '../products.ts';
import type { Subscription } from './inventory.ts';
import { deactivations, subscriptions } from './schema.ts';

export type Deactivation = typeof deactivations.$inferSelect;

/**
 * Returns the statement that records the activations in `ending`, a `from services where …` clause, that have something
 * to clean up. Place it before the statement that ends them.
 */
export function insertDeactivation(ending: SQL, now: number): SQL {
  const has = (table: string, column = 'prefix') =>
    sql`exists (select 1 from ${sql.raw(table)} held where held.${sql.raw(column)} = services.prefix)`;
  return sql`insert into deactivations (prefix, product, project_id, since)
    select prefix, product, project_id, ${now} ${ending}
      and (${has('queues')} or ${has('topics')} or ${has('subscriptions', 'queue_prefix')})`;
}

/** Returns the deactivations that still need cleanup: those of one project's product, or the oldest. */
export function listDeactivations(
  db: Database,
  of: { projectId: string; product: AccessKeyProductId } | undefined,
  limit: number,
): Promise<Deactivation[]> {
  const where = of ? sql`where project_id = ${of.projectId} and product = ${of.product}` : sql``;
  return db.all<Deactivation>(
    sql`select ${columnsOf(deactivations, 'deactivations')} from deactivations ${where} order by since limit ${limit}`,
  );
}

/** What an ended activation left on the engine. */
export interface Leftovers {
  queues: string[];
  topics: string[];
  /** Subscriptions that deliver to its queues. */
  subscriptions: Subscription[];
}

/** Returns at most `limit` leftovers of each kind. */
export async function listLeftovers(db: Database, prefix: string, limit: number): Promise<Leftovers> {
  const [queues, topics, held] = await db.batch(
    sql`select name from queues where prefix = ${prefix} order by name limit ${limit}`,
    sql`select name from topics where prefix = ${prefix} order by name limit ${limit}`,
    sql`select ${columnsOf(subscriptions, 'subscriptions')} from subscriptions where queue_prefix = ${prefix} limit ${limit}`,
  );
  const names = (result: typeof queues) => rowsOf<{ name: string }>(result).map(({ name }) => name);
  return { queues: names(queues), topics: names(topics), subscriptions: rowsOf<Subscription>(held) };
}

/** Deletes a deactivation if nothing of it is left. Returns whether it did. */
export async function deleteFinishedDeactivation(db: Database, prefix: string): Promise<boolean> {
  const none = (table: string, column = 'prefix') =>
    sql`not exists (select 1 from ${sql.raw(table)} where ${sql.raw(column)} = ${prefix})`;
  const [done] = await db.batch(
    sql`delete from deactivations where prefix = ${prefix}
      and ${none('queues')} and ${none('topics')} and ${none('subscriptions', 'queue_prefix')}`,
  );
  return Boolean(done?.meta.changes);
}
