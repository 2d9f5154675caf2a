/**
 * The scheduled repair of nats-servers: pushes unacknowledged revisions, renews leases, compares the servers' JWTs with
 * the rows, and records how credentials are used. Each run handles a bounded batch and stores a cursor, so that
 * every account gets its turn; the page about nats-servers says how long a round takes.
 */
import { type Database, openDatabase } from '../../db/database.ts';
import {
  getAccountStates,
  listLongRevocationLists,
  listRenewableAccounts,
  listUnfinishedAccounts,
  shortenRevocations,
} from '../../db/region/account-sync.ts';
import { readCursor, writeCursor } from '../../db/region/cursors.ts';
import { deleteNatsUsage, listSampledUsers } from '../../db/region/nats-usage.ts';
import { RETENTION_MS } from '../guard/usage.ts';
import type { Config, Region } from '../shared/env.ts';
import { forEachConcurrent, runJob } from '../shared/jobs.ts';
import { composeAccountJwt, leaseEnd } from './account-jwts.ts';
import { publishAccount, recordNatsUses } from './publication.ts';
import { countConnections } from './sample.ts';
import { type Connection, listActive, listHeldJwts, listLoadedAccounts } from './servers.ts';
import { Servers } from './system.ts';

/** Limits per run and region: each push is a request to another Durable Object, and an invocation can make 10,000. */
export const BATCH_SIZES = {
  shortened: 20,
  unfinished: 300,
  renewed: 1_500,
  reviewed: 500,
  /** Pages of open connections to read for last use and usage. */
  pages: 20,
  /** Users whose usage is checked for its age. */
  usage: 1_000,
};

const CONCURRENCY = 6;
const PUSHES_MS = 30_000;
const RENEWALS_MS = 60_000;
const REVIEW_MS = 20_000;
/** Accounts to read in one round trip. */
const STATES_PER_QUERY = 25;

interface RegionContext {
  config: Config;
  region: Region;
  regionDb: Database;
}

/** Runs all repairs in a region. Resolves to whether all of them succeeded. */
export async function repair(config: Config, region: Region): Promise<boolean> {
  const place = { config, region, regionDb: openDatabase(region.database) };
  // Known work comes first, and a failure of one job does not stop the others.
  const parts: [string, () => Promise<unknown>][] = [
    ['shorten revocations', () => shortenLongRevocationLists(place)],
    ['push pending changes', () => pushUnfinished(place)],
    ['renew leases', () => renewLeases(place)],
    ['review', () => review(place)],
    ['delete old usage', () => deleteOldUsage(place)],
  ];
  let well = true;
  for (const [name, work] of parts) well = (await runJob(name, region.name, work)) && well;
  return well;
}

/**
 * Returns the next batch of ids after the stored cursor, wrapping around at the end. `list` returns the ids after an
 * id, in order.
 */
async function nextBatch(
  regionDb: Database,
  job: string,
  limit: number,
  list: (after: string, limit: number) => Promise<string[]>,
): Promise<string[]> {
  const after = await readCursor(regionDb, job);
  const ids = await list(after, limit);
  if (ids.length === limit || after === '') return ids;
  const wrapped = await list('', limit - ids.length);
  return [...ids, ...wrapped.filter((id) => id <= after)];
}

async function shortenLongRevocationLists({ config, region, regionDb }: RegionContext): Promise<void> {
  const bound = config.nats.max_revocations / 2;
  const ids = await nextBatch(regionDb, 'shorten', BATCH_SIZES.shortened, (after, limit) =>
    listLongRevocationLists(regionDb, bound, after, limit),
  );
  const limits = { atOnce: 1, deadline: Date.now() + PUSHES_MS };
  await forEachConcurrent('shorten revocations', region.name, ids, limits, (id) =>
    shortenRevocations(regionDb, id, Date.now()),
  );
  await writeCursor(regionDb, 'shorten', ids.at(-1) ?? '');
}

async function pushUnfinished(place: RegionContext): Promise<void> {
  const { config, region, regionDb } = place;
  const ids = await nextBatch(regionDb, 'unfinished', BATCH_SIZES.unfinished, (after, limit) =>
    listUnfinishedAccounts(regionDb, after, limit),
  );
  const limits = { atOnce: CONCURRENCY, deadline: Date.now() + PUSHES_MS };
  const begun = await forEachConcurrent('push', region.name, ids, limits, (account) =>
    publishAccount(config, { region: region.name, account, user: null }),
  );
  await writeCursor(regionDb, 'unfinished', ids[begun - 1] ?? '');
}

/**
 * Pushes every account once per lease end, so that the servers' JWTs stay valid until the next. The cursor holds the
 * lease end and the last account pushed; an unfinished round continues on the next run.
 */
async function renewLeases({ config, region, regionDb }: RegionContext): Promise<void> {
  const end = leaseEnd(config.nats, Date.now());
  if (end === undefined || region.natsWebsockets.length === 0) return;
  const [of = '', after = ''] = (await readCursor(regionDb, 'lease')).split(' ');
  const done = after === '';
  if (done && of === String(end)) return;
  const ids = await listRenewableAccounts(regionDb, after, BATCH_SIZES.renewed);
  const limits = { atOnce: CONCURRENCY, deadline: Date.now() + RENEWALS_MS };
  const begun = await forEachConcurrent('renew', region.name, ids, limits, (account) =>
    publishAccount(config, { region: region.name, account, user: null, renewal: true }),
  );
  const finished = begun === ids.length && ids.length < BATCH_SIZES.renewed;
  const began = done ? String(end) : of;
  await writeCursor(regionDb, 'lease', `${began} ${finished ? '' : (ids[begun - 1] ?? after)}`);
}

/** Compares a batch of the accounts that servers have loaded, and records how credentials are used. */
async function review(place: RegionContext): Promise<void> {
  const { config, region, regionDb } = place;
  if (region.natsWebsockets.length === 0) return;
  const soon = () => Date.now() + config.nats.push_deadline_ms;
  const deadline = Date.now() + REVIEW_MS;
  const servers = await Servers.connect(region, soon());
  try {
    await runJob('sample connections', region.name, () => sampleConnections(place, servers, soon));
    const loaded = await listLoadedAccounts(servers, soon());
    const ids = await nextBatch(regionDb, 'review', BATCH_SIZES.reviewed, async (after, limit) =>
      loaded.filter((id) => id > after).slice(0, limit),
    );
    for (let from = 0; from < ids.length && Date.now() < deadline; from += STATES_PER_QUERY) {
      const batch = ids.slice(from, from + STATES_PER_QUERY);
      await runJob('review', region.name, () => reviewBatch(place, servers, batch, deadline));
      // Stored after each batch, so that a crash or a failing account does not block the next run.
      await writeCursor(regionDb, 'review', batch.at(-1) ?? '');
    }
  } finally {
    servers.close();
  }
}

async function reviewBatch(
  { config, region, regionDb }: RegionContext,
  servers: Servers,
  ids: readonly string[],
  deadline: number,
): Promise<void> {
  // Excludes accounts that are not ours: the system account and the servers' own.
  const states = new Map((await getAccountStates(regionDb, ids)).map((state) => [state.account.id, state]));
  const limits = { atOnce: CONCURRENCY, deadline: deadline + config.nats.push_deadline_ms };
  await forEachConcurrent('review', region.name, [...states.keys()], limits, async (account) => {
    const state = states.get(account);
    if (!state) return;
    const held = await listHeldJwts(servers, account, Date.now() + config.nats.push_deadline_ms);
    const expected = await composeAccountJwt(config, state, Date.now());
    if (held.every((jwt) => jwt === expected)) return;
    await publishAccount(config, { region: region.name, account, user: null });
  });
}

/** Records the last uses and counts the uses of every open connection. */
async function sampleConnections(
  { region, regionDb }: RegionContext,
  servers: Servers,
  soon: () => number,
): Promise<void> {
  const sample: Connection[] = [];
  for (let page = 0; page < BATCH_SIZES.pages; page++) {
    const { connections, more } = await listActive(servers, page, soon());
    await recordNatsUses(region, connections);
    sample.push(...connections);
    if (!more) break;
  }
  await countConnections(regionDb, sample, Date.now());
}

/** Deletes the usage of credentials that were revoked, or not used for as long as usage is kept. */
async function deleteOldUsage({ regionDb }: RegionContext): Promise<void> {
  const keys = await nextBatch(regionDb, 'usage', BATCH_SIZES.usage, (after, limit) =>
    listSampledUsers(regionDb, after, limit),
  );
  if (keys.length === 0) return;
  await deleteNatsUsage(regionDb, keys, Date.now() - RETENTION_MS);
  await writeCursor(regionDb, 'usage', keys.at(-1) ?? '');
}
