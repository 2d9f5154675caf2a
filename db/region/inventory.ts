/**
 * The queues, topics and subscriptions on a region's engine. Names are stored before the engine creates them, because
 * cleanup after deactivation needs every name that could exist there. Lists contain only confirmed names, because
 * clients rely on them.
 */
import { type SQL, sql } from 'drizzle-orm';
import { columnsOf, type Database, rowsOf } from '../database.ts';
import type { AccessKeyProductId } from '../products.ts';
import { subscriptions } from './schema.ts';

export type Subscription = typeof subscriptions.$inferSelect;

export type ResourceKind = 'queues' | 'topics';

/** A queue or topic of an activation. */
export interface ResourceName {
  prefix: string;
  name: string;
}

const table = (kind: ResourceKind) => sql.raw(kind);

const isNamed = ({ prefix, name }: ResourceName): SQL => sql`prefix = ${prefix} and name = ${name}`;

/** A stored name that the engine has not created yet. */
export interface NameReservation {
  /** Whether the name was created before and is already listed. */
  confirmed: boolean;
  /** Removes the name after the engine rejected it, unless it existed before or was requested again. */
  undo(): Promise<void>;
}

/** Stores a name before the engine creates it. Resolves to null, and stores nothing, if the activation has ended. */
export async function reserveName(
  db: Database,
  kind: ResourceKind,
  { prefix, name }: ResourceName,
  now: number,
): Promise<NameReservation | null> {
  const [before, after] = await db.batch(
    sql`select 1 from ${table(kind)} where ${isNamed({ prefix, name })}`,
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
        sql`delete from ${table(kind)} where ${isNamed({ prefix, name })} and asked_at = ${row.askedAt}`,
      );
    },
  };
}

/** What to store about a queue or topic; undefined keeps the value. Topics have only `confirmed`. */
export interface ResourceUpdate {
  confirmed?: true | undefined;
  /** The target queue of its redrive policy; null for none. */
  deadLetterQueue?: string | null | undefined;
  policy?: string | null | undefined;
}

/** Stores what is known about a name. Runs no statement if there is nothing to store. */
export async function updateResource(
  db: Database,
  kind: ResourceKind,
  of: ResourceName,
  about: ResourceUpdate,
): Promise<void> {
  const columns: [string, unknown][] = [
    ['confirmed', about.confirmed && 1],
    ['dead_letter_queue', about.deadLetterQueue],
    ['policy', about.policy],
  ];
  const changes = columns.flatMap(([column, value]) =>
    value === undefined ? [] : [sql`${sql.raw(column)} = ${value}`],
  );
  if (changes.length === 0) return;
  await db.all(sql`update ${table(kind)} set ${sql.join(changes, sql`, `)} where ${isNamed(of)}`);
}

/** Removes a name from lists because the engine does not have it, unless it was requested at or after `before`. */
export async function markMissing(
  db: Database,
  kind: ResourceKind,
  of: ResourceName,
  before: number,
): Promise<void> {
  const rest = kind === 'queues' ? sql`, dead_letter_queue = null, policy = null` : sql``;
  await db.all(
    sql`update ${table(kind)} set confirmed = 0${rest} where ${isNamed(of)} and asked_at < ${before}`,
  );
}

export async function nameExists(db: Database, kind: ResourceKind, of: ResourceName): Promise<boolean> {
  return (await db.all(sql`select 1 from ${table(kind)} where ${isNamed(of)} and confirmed = 1`)).length > 0;
}

/** Returns the policy of a queue, or null. */
export async function policyOf(db: Database, queue: ResourceName): Promise<string | null> {
  const [row] = await db.all<{ policy: string | null }>(
    sql`select policy from queues where ${isNamed(queue)} and confirmed = 1`,
  );
  return row?.policy ?? null;
}

/** Removes a name and, for a topic, its subscriptions. */
export async function removeName(
  db: Database,
  kind: ResourceKind,
  { prefix, name }: ResourceName,
): Promise<void> {
  await db.batch(
    sql`delete from subscriptions where ${kind} = 'topics' and prefix = ${prefix} and topic = ${name}`,
    sql`delete from ${table(kind)} where ${isNamed({ prefix, name })}`,
  );
}

/** A page of names: those after `after`, in byte order. */
export interface NamePage {
  prefix: string;
  after: string;
  limit: number;
  /** Patterns: a name, or the start of names followed by `*`. Null for all names. */
  resources: readonly string[] | null;
}

/** The column matches one of the patterns. */
function matchesOne(column: 'name' | 'topic', resources: readonly string[] | null): SQL {
  if (resources === null) return sql`true`;
  return sql`exists (select 1 from json_each(${JSON.stringify(resources)}) pattern where case
    when substr(pattern.value, -1) = '*'
    then substr(${sql.raw(column)}, 1, length(pattern.value) - 1) = substr(pattern.value, 1, length(pattern.value) - 1)
    else ${sql.raw(column)} = pattern.value end)`;
}

/** Returns the names of queues or topics that begin with `start`. */
export async function listNames(
  db: Database,
  kind: ResourceKind,
  { prefix, after, limit, resources, start = '' }: NamePage & { start?: string },
): Promise<string[]> {
  const rows = await db.all<{ name: string }>(sql`select name from ${table(kind)}
    where prefix = ${prefix} and name > ${after} and name >= ${start} and name < ${start} || char(1114111)
      and confirmed = 1 and ${matchesOne('name', resources)}
    order by name limit ${limit}`);
  return rows.map(({ name }) => name);
}

/** Returns the names of the queues whose dead-letter queue is `target`. */
export async function listDeadLetterSources(
  db: Database,
  target: string,
  { prefix, after, limit, resources }: NamePage,
): Promise<string[]> {
  const rows = await db.all<{ name: string }>(sql`select name from queues
    where prefix = ${prefix} and dead_letter_queue = ${target} and name > ${after} and confirmed = 1
      and ${matchesOne('name', resources)}
    order by name limit ${limit}`);
  return rows.map(({ name }) => name);
}

/** Stores a subscription, unless its topic is gone or it already exists. */
export async function addSubscription(db: Database, s: Subscription): Promise<void> {
  await db.all(sql`insert into subscriptions (prefix, topic, id, protocol, endpoint, queue_prefix, created_at)
    select prefix, name, ${s.id}, ${s.protocol}, ${s.endpoint}, ${s.queuePrefix}, ${s.createdAt} from topics
    where ${isNamed({ prefix: s.prefix, name: s.topic })} on conflict do nothing`);
}

/** Whether a topic of the activation `topics` delivers to the queue. */
export async function isSubscribed(db: Database, queue: ResourceName, topics: string): Promise<boolean> {
  const found = await db.all(sql`select 1 from subscriptions
    where queue_prefix = ${queue.prefix} and endpoint = ${queue.name} and prefix = ${topics} limit 1`);
  return found.length > 0;
}

export async function removeSubscription(
  db: Database,
  { prefix, topic, id }: Pick<Subscription, 'prefix' | 'topic' | 'id'>,
): Promise<void> {
  await db.all(sql`delete from subscriptions where prefix = ${prefix} and topic = ${topic} and id = ${id}`);
}

/** Returns the subscriptions of an activation, or of one of its topics, after `[topic, id]`. */
export function listSubscriptions(
  db: Database,
  prefix: string,
  topic: string | undefined,
  [afterTopic, afterId]: readonly [string, string],
  { limit, resources }: Pick<NamePage, 'limit' | 'resources'>,
): Promise<Subscription[]> {
  return db.all<Subscription>(sql`select ${columnsOf(subscriptions, 'subscriptions')} from subscriptions
    where prefix = ${prefix} and topic = coalesce(${topic ?? null}, topic) and (topic, id) > (${afterTopic}, ${afterId})
      and ${matchesOne('topic', resources)}
    order by topic, id limit ${limit}`);
}

/** Returns the names of a project's queues or topics, if its product (`sqs`, `sns`) is active. */
export async function listNamesOfProject(
  db: Database,
  kind: ResourceKind,
  {
    projectId,
    product,
    after,
    limit,
  }: { projectId: string; product: AccessKeyProductId; after: string; limit: number },
): Promise<string[]> {
  const rows = await db.all<{ name: string }>(sql`select ${table(kind)}.name from services
    join ${table(kind)} on ${table(kind)}.prefix = services.prefix and ${table(kind)}.name > ${after}
      and ${table(kind)}.confirmed = 1
    where services.project_id = ${projectId} and services.product = ${product} and services.status = 'enabled'
    order by ${table(kind)}.name limit ${limit}`);
  return rows.map(({ name }) => name);
}
