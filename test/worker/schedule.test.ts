/**
 * The schedule: one bad row or one failing task does not stop the others, and its error is logged with the cause. The
 * bad row is real: a database trigger rejects changes to it.
 */
import type { D1Database } from '@cloudflare/workers-types';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { getAccountState, recordPush, shortenRevocations } from '../../db/region/account-sync.ts';
import { cleanUp } from '../../functions/gateway/cleanup.ts';
import worker from '../../functions/index.ts';
import { BATCH_SIZES, repair } from '../../functions/nats/repair.ts';
import { resumeProjectDeletions } from '../../functions/projects/delete-project.ts';
import { deleteExpiredGuests } from '../../functions/projects/guests.ts';
import { purgeProjectFromRegion } from '../../functions/projects/purge-project.ts';
import { type Bindings, type Config, configOf, type Region } from '../../functions/shared/env.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { failing } from './fault.ts';
import { clientOf, identityRows, newOwner, newProject, postAuth, rows } from './harness.ts';

const MINUTE = 60_000;
const soon = () => Date.now() + MINUTE;

let logged: string[];
beforeEach(() => {
  logged = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => void logged.push(line));
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => void vi.restoreAllMocks());

/** Runs `work` while a trigger rejects changes to the rows that match `when`. */
async function withRejectingTrigger(
  database: D1Database,
  event: string,
  when: string,
  work: () => Promise<unknown>,
) {
  await database
    .prepare(
      `create trigger poison before ${event} when ${when} begin select raise(abort, 'a poisoned row'); end`,
    )
    .run();
  try {
    await work();
  } finally {
    await database.prepare('drop trigger poison').run();
  }
}

const regionOf = (bindings: Bindings = env): Region => {
  const region = configOf(bindings).regions.get('fr-par');
  if (!region) throw new Error('no region');
  return region;
};

describe('a row that cannot be changed', () => {
  it('of an interrupted deletion does not stop other deletions from being resumed', async () => {
    const owner = await newOwner();
    const ids = [await newProject(owner), await newProject(owner), await newProject(owner)];
    await env.IDENTITY.prepare(
      `update projects set status = 'deleting', updated_at = ? where id in (select value from json_each(?))`,
    )
      .bind(Date.now() - 2 * MINUTE, JSON.stringify(ids))
      .run();
    await withRejectingTrigger(env.IDENTITY, 'update on projects', `old.id = '${ids[0]}'`, async () => {
      await expect(resumeProjectDeletions(configOf(env), soon())).rejects.toThrow('could not be finished');
    });
    const remaining = await identityRows<{ id: string }>(
      `select id from projects where status = 'deleting' and id in (select value from json_each(?))`,
      JSON.stringify(ids),
    );
    expect(remaining).toEqual([{ id: ids[0] }]);
    expect(logged.join()).toContain(ids[0]);
    expect(logged.join()).toContain('a poisoned row');
  });

  it('of an expired guest does not stop the deletion of other guests', async () => {
    const guests: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { body } = await postAuth('/guest', {}, { env: { ...env, GUESTS: { enabled: true } } });
      guests.push(body.organization_id);
    }
    await env.IDENTITY.prepare(
      'update organizations set expires_at = ? where id in (select value from json_each(?))',
    )
      .bind(Date.now() - 10 * MINUTE, JSON.stringify(guests))
      .run();
    await withRejectingTrigger(
      env.IDENTITY,
      'delete on organizations',
      `old.id = '${guests[1]}'`,
      async () => {
        await expect(deleteExpiredGuests(configOf(env), soon())).rejects.toThrow('could not be deleted');
      },
    );
    const remaining = await identityRows<{ id: string }>(
      'select id from organizations where id in (select value from json_each(?))',
      JSON.stringify(guests),
    );
    expect(remaining).toEqual([{ id: guests[1] }]);
    expect(logged.join()).toContain(guests[1]);
    await env.IDENTITY.prepare('update organizations set expires_at = null where id = ?')
      .bind(guests[1])
      .run();
  });

  it('of a NATS account does not stop the deletion of other accounts of a deleted project', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    const ids: string[] = [];
    for (let i = 0; i < 25; i++) {
      ids.push((await api.post('/nats-accounts', { project_id: owner.project_id })).body.id);
    }
    await withRejectingTrigger(
      env.REGION_FR_PAR,
      'update on nats_accounts',
      `old.id = '${ids[0]}'`,
      async () => {
        expect(await purgeProjectFromRegion(configOf(env), regionOf(), owner.project_id, soon())).toBe(false);
      },
    );
    const remaining = await rows<{ id: string }>(
      'fr-par',
      'select id from nats_accounts where project_id = ? and deleted_at is null',
      owner.project_id,
    );
    expect(remaining).toEqual([{ id: ids[0] }]);
    expect(logged.join()).toContain(ids[0]);
  });

  it('of a deactivation does not stop the cleanup of others', async () => {
    const prefixes = ['fpoison001', 'fpoison002', 'fpoison003'];
    await env.REGION_FR_PAR.batch(
      prefixes.map((prefix) =>
        env.REGION_FR_PAR.prepare(
          `insert into deactivations (prefix, product, project_id, since) values (?, 'sqs', 'p', 1)`,
        ).bind(prefix),
      ),
    );
    const region = { ...regionOf(), engine: {} as Region['engine'] };
    await withRejectingTrigger(
      env.REGION_FR_PAR,
      'delete on deactivations',
      `old.prefix = '${prefixes[1]}'`,
      async () => {
        expect(await cleanUp(region, undefined, soon())).toBe(false);
      },
    );
    expect(await rows('fr-par', 'select prefix from deactivations')).toEqual([{ prefix: prefixes[1] }]);
    expect(logged.join()).toContain(prefixes[1]);
    await env.REGION_FR_PAR.prepare('delete from deactivations').run();
  });

  it('of a long revocation list does not stop other lists from being shortened', async () => {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    const create = async () =>
      (await api.post('/nats-accounts', { project_id: owner.project_id })).body.id as string;
    const ids = [await create(), await create()].sort();
    for (const id of ids) await withRevocations(id, 30);
    const bindings = { ...env, NATS: { max_revocations: 40 } };
    await withRejectingTrigger(
      env.REGION_FR_PAR,
      'update on nats_accounts',
      `old.id = '${ids[0]}'`,
      async () => {
        await repair(configOf(bindings), regionOf(bindings));
      },
    );
    const revocations = await rows<{ id: string; n: number }>(
      'fr-par',
      `select account_id as id, count(*) as n from nats_revocations
        where account_id in (select value from json_each(?)) group by 1 order by 1`,
      JSON.stringify(ids),
    );
    expect(revocations).toEqual([
      { id: ids[0], n: 30 },
      { id: ids[1], n: 1 },
    ]);
    expect(logged.join()).toContain(ids[0]);
  });
});

describe('shortening a revocation list', () => {
  const now = Math.floor(Date.now() / 1000);

  /**
   * Returns the users still in the list after a run. Times are seconds from now; `oldest` is when the oldest live
   * creds were created.
   */
  async function remaining(users: Record<string, { issued: number; expires?: number }>, oldest?: number) {
    const owner = await newOwner();
    const api = clientOf(owner, 'fr-par');
    const { id } = (await api.post('/nats-accounts', { project_id: owner.project_id })).body;
    if (oldest !== undefined) {
      await api.post('/nats-credentials', { nats_account_id: id });
      const at = (now + oldest) * 1000;
      await rows('fr-par', 'update credentials set created_at = ? where nats_account_id = ?', at, id);
    }
    for (const [user, { issued, expires }] of Object.entries(users)) {
      await rows(
        'fr-par',
        `insert into nats_revocations (account_id, user_key, revoked_at, issued_at, expires_at)
          values (?, ?, ?, ?, ?)`,
        id,
        user,
        now,
        now + issued,
        expires === undefined ? null : now + expires,
      );
    }
    const store = openDatabase(env.REGION_FR_PAR);
    await shortenRevocations(store, id, now * 1000);
    return Object.keys((await getAccountState(store, id))?.revocations ?? {}).sort();
  }

  it('keeps users who expired within the last hour, because a server’s clock can be behind', async () => {
    const users = { UNOW: { issued: -9000, expires: -60 }, ULONG: { issued: -9000, expires: -3700 } };
    expect(await remaining(users, -9999)).toEqual(['UNOW']);
  });

  it('never covers users created within the last minute, whose creds might not be stored yet', async () => {
    expect(await remaining({ UNOW: { issued: -60 }, ULONG: { issued: -61 } })).toEqual(['*', 'UNOW']);
  });

  it('never covers users created in or after the second of the oldest live creds', async () => {
    expect(await remaining({ UOLD: { issued: -501 }, UNEW: { issued: -500 } }, -500)).toEqual(['*', 'UNEW']);
  });
});

async function withRevocations(account: string, n: number): Promise<void> {
  const keys = Array.from({ length: n }, (_, i) => `U${i.toString(2).padStart(55, 'A')}`);
  await env.REGION_FR_PAR.batch([
    env.REGION_FR_PAR.prepare(
      'insert into nats_revocations (account_id, user_key, revoked_at, issued_at) select ?, value, 1, 1 from json_each(?)',
    ).bind(account, JSON.stringify(keys)),
    env.REGION_FR_PAR.prepare(
      `insert into counts (scope, resource, value) values (?, 'nats_revocations', ?)`,
    ).bind(account, n),
  ]);
}

describe('a failing task of the schedule', () => {
  it('is logged with its name, its region and the error, and the other tasks run', async () => {
    const bindings = { ...env, REGION_FR_PAR: failing(env.REGION_FR_PAR, /audit_events/) };
    await expect(worker.scheduled({} as never, bindings, {} as never)).rejects.toThrow(
      'Scheduled jobs failed',
    );
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      { schedule: 'audit retention', where: 'fr-par', reasons: ['D1_ERROR: Network connection lost.'] },
    ]);
  });
});

/** Replaces the publishers of accounts and records their requests. */
function recordingPublishers() {
  const requests: { account: string; renewal?: boolean }[] = [];
  const publishers = {
    idFromName: (name: string) => name,
    get: () => ({
      fetch: async (_url: string, { body }: { body: string }) => {
        requests.push(JSON.parse(body));
        return Response.json({ revision: 1, acknowledged: 1, servers: 1, cut: null, finished: true });
      },
    }),
  } as unknown as Config['publishers'];
  return { requests, publishers };
}

describe('ten thousand accounts', () => {
  const ACCOUNTS = 10_000;
  const insert = () =>
    env.REGION_NL_AMS.prepare(
      `insert into nats_accounts (id, organization_id, project_id, name, signing_key, sealed_signing_seed,
        sealing_key_id, revision, issued_at, acknowledged_revision, acknowledged_servers, servers, created_at, updated_at)
      with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
      select printf('A%055d', i), 'o', 'p', 'n', 'A', '', 'new', 2, 1, iif(i % 2, 1, 2), 0, 0, 1, 1 from n`,
    )
      .bind(ACCOUNTS)
      .run();

  it('get their leases renewed and failed pushes retried in batches, within the platform’s limits', async () => {
    await insert();
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const { requests, publishers } = recordingPublishers();
    const config = { ...configOf({ ...env, NATS: { account_lease_seconds: 3600 } }), publishers };
    const found = config.regions.get('nl-ams');
    if (!found) throw new Error('no region');
    // Nothing listens on this port: the check of servers ends immediately, and the earlier tasks need no server.
    const natsWebsockets = ['ws://127.0.0.1:9'];
    const region = { ...found, natsWebsockets, database: counted(env.REGION_NL_AMS, cost) };
    // Leases that end in the same quarter of an hour are renewed within three quarters, which are nine runs.
    const runs = Math.ceil(ACCOUNTS / BATCH_SIZES.renewed);
    expect(runs).toBeLessThan(9);
    for (let run = 0; run < runs; run++) {
      const before = cost.trips;
      await repair(config, region);
      // D1 allows a thousand queries for each invocation, in all regions.
      expect(cost.trips - before).toBeLessThan(30);
    }
    const renewed = requests.filter(({ renewal }) => renewal).map(({ account }) => account);
    expect([renewed.length, new Set(renewed).size]).toEqual([ACCOUNTS, ACCOUNTS]);
    const pushed = requests.filter(({ renewal }) => !renewal).map(({ account }) => account);
    expect([pushed.length, new Set(pushed).size]).toEqual(Array(2).fill(runs * BATCH_SIZES.unfinished));
    requests.length = 0;
    await repair(config, region);
    expect(requests.filter(({ renewal }) => renewal)).toEqual([]);
    await env.REGION_NL_AMS.prepare('delete from nats_accounts').run();
  });
});

describe('an acknowledgement', () => {
  it('of an older push than the last acknowledged one changes nothing', async () => {
    const owner = await newOwner();
    const { id } = (await clientOf(owner, 'fr-par').post('/nats-accounts', { project_id: owner.project_id }))
      .body;
    const store = openDatabase(env.REGION_FR_PAR);
    await recordPush(store, { id, revision: 3, inputs: '', jwt: '' }, { acknowledged: 2, servers: 2 });
    await recordPush(store, { id, revision: 2, inputs: '', jwt: '' }, { acknowledged: 1, servers: 1 });
    const state = await getAccountState(store, id);
    expect(state?.account).toMatchObject({ acknowledgedRevision: 3, acknowledgedServers: 2, servers: 2 });
  });
});
