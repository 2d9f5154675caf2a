/**
 * The queues, topics and subscriptions that projects have on their region's engine. A queue or topic is written here
 * before the engine creates it: the clean-up after an activation needs every name that the engine may have. Lists have
 * only the names that are confirmed, because clients rely on what they find in a list.
 */
import { type SQL, sql } from 'drizzle-orm';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import { subscriptions } from './schema.ts';

/** A row of `subscriptions`. */
export type Subscription = typeof subscriptions.$inferSelect;

/** Which inventory a name is in. */
export type Kind = 'queues' | 'topics';

/** A queue or topic of an activation. */
export interface Named {
  prefix: string;
  name: string;
}

const table = (kind: Kind) => sql.raw(kind);

const named = ({ prefix, name }: Named): SQL => sql`prefix = ${prefix} and name = ${name}`;

/** A name that is written down and that the engine has not created yet. */
export interface Creation {
  /** Whether it is listed already, because it was created before. */
  confirmed: boolean;
  /** Removes the name, unless it was there before or has been asked for again: the engine has refused. */
  undo(): Promise<void>;
}

/**
 * Writes a name down, before the engine is asked to create it. Resolves to null, with nothing written, when the
 * activation of the prefix is over.
 */
export async function addName(
  db: Database,
  kind: Kind,
  { prefix, name }: Named,
  now: number,
): Promise<Creation | null> {
  const [before, after] = await db.batch(
    sql`select 1 from ${table(kind)} where ${named({ prefix, name })}`,
    sql`insert into ${table(kind)} (prefix, name, asked_at, confirmed) select prefix, ${name}, ${now}, 0 from services
      where prefix = ${prefix} and status = 'enabled'
      on conflict do update set asked_at = max(asked_at + 1, excluded.asked_at)
      returning asked_at as "askedAt", confirmed`,
  );
  const [row] = rowsOf<{ askedAt: number; confirmed: number }>(after);
  if (!row) return null;
  const isNew = rowsOf(before).length === 0;
  return {
    confirmed: row.confirmed === 1,
    async undo() {
      if (!isNew) return;
      await db.all(
        sql`delete from ${table(kind)} where ${named({ prefix, name })} and asked_at = ${row.askedAt}`,
      );
    },
  };
}

/** What to write down of a queue or topic: what is absent stays as it is. A topic has `confirmed` only. */
export interface Note {
  confirmed?: true | undefined;
  /** The queue that its redrive policy names; null for none. */
  deadLetterQueue?: string | null | undefined;
  /** Its policy; null for none. */
  policy?: string | null | undefined;
}

/** Writes down what is known of a name. Costs nothing when that is nothing new. */
export async function note(db: Database, kind: Kind, of: Named, about: Note): Promise<void> {
  const columns: [string, unknown][] = [
    ['confirmed', about.confirmed && 1],
    ['dead_letter_queue', about.deadLetterQueue],
    ['policy', about.policy],
  ];
  const changes = columns.flatMap(([column, value]) =>
    value === undefined ? [] : [sql`${sql.raw(column)} = ${value}`],
  );
  if (changes.length === 0) return;
  await db.all(sql`update ${table(kind)} set ${sql.join(changes, sql`, `)} where ${named(of)}`);
}

/** Lists a name no longer, because the engine does not have it, unless it was asked for after `before`. */
export async function noteMissing(db: Database, kind: Kind, of: Named, before: number): Promise<void> {
  const rest = kind === 'queues' ? sql`, dead_letter_queue = null, policy = null` : sql``;
  await db.all(
    sql`update ${table(kind)} set confirmed = 0${rest} where ${named(of)} and asked_at < ${before}`,
  );
}

/** Whether a name is listed. */
export async function hasName(db: Database, kind: Kind, of: Named): Promise<boolean> {
  return (await db.all(sql`select 1 from ${table(kind)} where ${named(of)} and confirmed = 1`)).length > 0;
}

/** The policy that was set for a queue, or null. */
export async function policyOf(db: Database, queue: Named): Promise<string | null> {
  const [row] = await db.all<{ policy: string | null }>(
    sql`select policy from queues where ${named(queue)} and confirmed = 1`,
  );
  return row?.policy ?? null;
}

/** Removes a name, and the subscriptions to it when it is a topic's. */
export async function removeName(db: Database, kind: Kind, { prefix, name }: Named): Promise<void> {
  await db.batch(
    sql`delete from subscriptions where ${kind} = 'topics' and prefix = ${prefix} and topic = ${name}`,
    sql`delete from ${table(kind)} where ${named({ prefix, name })}`,
  );
}

/** A page of names: those after `after` in the order of their bytes. */
export interface NamesAfter {
  prefix: string;
  after: string;
  limit: number;
}

/** The names of queues or topics that begin with `start`. */
export async function listNames(
  db: Database,
  kind: Kind,
  { prefix, after, limit, start = '' }: NamesAfter & { start?: string },
): Promise<string[]> {
  const rows = await db.all<{ name: string }>(sql`select name from ${table(kind)}
    where prefix = ${prefix} and name > ${after} and name >= ${start} and name < ${start} || char(1114111)
      and confirmed = 1
    order by name limit ${limit}`);
  return rows.map(({ name }) => name);
}

/** The names of the queues whose dead letters go to `target`. */
export async function listDeadLetterSources(
  db: Database,
  target: string,
  { prefix, after, limit }: NamesAfter,
): Promise<string[]> {
  const rows = await db.all<{ name: string }>(sql`select name from queues
    where prefix = ${prefix} and dead_letter_queue = ${target} and name > ${after} and confirmed = 1
    order by name limit ${limit}`);
  return rows.map(({ name }) => name);
}

/** Writes a subscription down, unless its topic is gone or it is there already. */
export async function addSubscription(db: Database, s: Subscription): Promise<void> {
  await db.all(sql`insert into subscriptions (prefix, topic, id, protocol, endpoint, queue_prefix, created_at)
    select prefix, name, ${s.id}, ${s.protocol}, ${s.endpoint}, ${s.queuePrefix}, ${s.createdAt} from topics
    where ${named({ prefix: s.prefix, name: s.topic })} on conflict do nothing`);
}

/** Whether a topic of the activation `topics` delivers to a queue. */
export async function isSubscribed(db: Database, queue: Named, topics: string): Promise<boolean> {
  const found = await db.all(sql`select 1 from subscriptions
    where queue_prefix = ${queue.prefix} and endpoint = ${queue.name} and prefix = ${topics} limit 1`);
  return found.length > 0;
}

/** Removes a subscription. */
export async function removeSubscription(
  db: Database,
  { prefix, topic, id }: Pick<Subscription, 'prefix' | 'topic' | 'id'>,
): Promise<void> {
  await db.all(sql`delete from subscriptions where prefix = ${prefix} and topic = ${topic} and id = ${id}`);
}

/** The subscriptions of an activation, or of one topic of it, after `[topic, id]`. */
export function listSubscriptions(
  db: Database,
  prefix: string,
  topic: string | undefined,
  [afterTopic, afterId]: readonly [string, string],
  limit: number,
): Promise<Subscription[]> {
  return db.all<Subscription>(sql`select ${columnsOf(subscriptions, 'subscriptions')} from subscriptions
    where prefix = ${prefix} and topic = coalesce(${topic ?? null}, topic) and (topic, id) > (${afterTopic}, ${afterId})
    order by topic, id limit ${limit}`);
}

/** The names of the queues or topics that a project has now, as far as its product (`sqs`, `sns`) is active. */
export async function listNamesOfProject(
  db: Database,
  kind: Kind,
  { projectId, product, after, limit }: { projectId: string; product: string; after: string; limit: number },
): Promise<string[]> {
  const rows = await db.all<{ name: string }>(sql`select ${table(kind)}.name from services
    join ${table(kind)} on ${table(kind)}.prefix = services.prefix and ${table(kind)}.name > ${after}
      and ${table(kind)}.confirmed = 1
    where services.project_id = ${projectId} and services.product = ${product} and services.status = 'enabled'
    order by ${table(kind)}.name limit ${limit}`);
  return rows.map(({ name }) => name);
}
