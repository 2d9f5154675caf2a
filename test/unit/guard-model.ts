/**
 * A model of the guard's protocol in virtual time: the real memory of a row and the real decisions of the gateway, with
 * a database, a network, guards and clients that fail. A seed determines a schedule completely.
 */
import type { GatewayCredential } from '../../db/region/gateway.ts';
import { PERMISSION_BITS } from '../../db/region/permissions.ts';
import type { GatewayError } from '../../functions/gateway/errors.ts';
import { stillPermits } from '../../functions/gateway/permission.ts';
import { enforcementOf } from '../../functions/guard/announce.ts';
import { RowMemory } from '../../functions/guard/row-memory.ts';

/** A part of the protocol that is left out. */
export type Fault =
  | 'no lease'
  | 'no release'
  | 'activation not compared'
  | 'version not compared'
  | 'lagging replica'
  | 'claims what timed out'
  | 'claims without an announcement'
  | 'unknown keys remembered in front';

/** What differs from the real protocol. */
export interface Planted {
  fault?: Fault;
  /** Replaces {@link RowMemory}, for example by a mutant. */
  Memory?: typeof RowMemory;
}

/** How a schedule ended. */
export interface Outcome {
  violations: string[];
  /** How often each thing happened, to see that schedules are not trivial. */
  counts: Record<string, number>;
}

const LEASE_SECONDS = 30;
const DEADLINE_MS = 2000;
const WATCH_AFTER_MS = 1000;
const { can_publish: WRITE, can_receive: READ } = PERMISSION_BITS;
const HORIZON_MS = 80_000;

/** A committed state of the credentials. Each has the number of the commits before it. */
interface State {
  serial: number;
  at: number;
  /** The row, null if the credentials do not exist. */
  row: GatewayCredential | null;
  /** The engine prefix of each product, null if it is not active. */
  prefixes: { sqs: string | null; sns: string | null };
}

/** What a guard or a direct read returned, and when that was decided. */
interface Decision {
  state: State;
  decidedAt: number;
  from: 'guard' | 'database';
}

const CREDENTIAL: GatewayCredential = {
  id: 'credentials',
  product: 'sqs',
  projectId: 'project',
  sealedSecret: 'sealed',
  sealingKeyId: 'key',
  permissions: READ,
  version: 0,
  resources: null,
  sourceIps: null,
  disabledAt: null,
  expiresAt: null,
  lastUsedAt: null,
  sqsPrefix: 'a0',
  snsPrefix: null,
};

/** Runs one schedule. */
export async function simulate(seed: number, { fault, Memory = RowMemory }: Planted = {}): Promise<Outcome> {
  const random = randomOf(seed);
  const between = (low: number, high: number) => low + random() * (high - low);
  const chance = (probability: number) => random() < probability;
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)] as T;

  // Virtual time.
  let now = 0;
  const events: { at: number; run: () => void }[] = [];
  const sleep = (milliseconds: number) =>
    new Promise<void>((run) => {
      const at = now + milliseconds;
      const later = events.findIndex((event) => event.at > at);
      events.splice(later < 0 ? events.length : later, 0, { at, run });
    });

  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const violations: string[] = [];

  // The database. A read returns the state at some moment while it runs.
  const first: State = { serial: 0, at: 0, row: CREDENTIAL, prefixes: { sqs: 'a0', sns: null } };
  const history = [first];
  const latest = () => history.at(-1) as State;
  const lag = fault === 'lagging replica' ? between(100, 3000) : 0;
  const visible = () => history.findLast(({ at }) => at <= now - lag) ?? first;
  const slow = () => (chance(0.03) ? between(500, 6000) : between(1, 20));
  const read = async () => {
    count('database reads');
    const takes = slow();
    const before = takes * random();
    await sleep(before);
    const state = visible();
    await sleep(takes - before);
    if (chance(0.01)) throw new Error('the database is unavailable');
    return state;
  };

  // The object. A call runs in the instance that is current when it arrives; a replaced one finishes its calls.
  const newInstance = () =>
    new Memory<State>({
      read,
      now: () => now,
      lease: () => (fault === 'no lease' ? Infinity : LEASE_SECONDS * 1000 * between(2 / 3, 1)),
    });
  let instance = newInstance();
  const watchers = new Set<() => void>();
  const travel = () => (chance(0.01) ? between(500, 4000) : between(1, 20));
  const callGuard = async <Result>(work: (memory: RowMemory<State>) => Result): Promise<Awaited<Result>> => {
    const lost = random();
    await sleep(travel());
    if (lost < 0.01) throw new Error('the call was lost');
    const result = await work(instance);
    await sleep(travel());
    if (lost < 0.02) throw new Error('the response was lost');
    return result;
  };

  // Changes: each is committed, then announced unless the Worker crashes, then reported to its client.
  const reports: { serial: number; at: number; enforced: boolean }[] = [];
  let backup = CREDENTIAL;
  /** Applies a random change. */
  const apply = ({ row, prefixes }: State): Pick<State, 'row' | 'prefixes'> => {
    const under = (next: State['prefixes'], kept = row) => ({
      row: kept && { ...kept, sqsPrefix: next.sqs, snsPrefix: next.sns },
      prefixes: next,
    });
    const { sqs, sns } = prefixes;
    const kind = random();
    if (kind < 0.2) return under({ sqs, sns: sns === null ? `b${history.length}` : null });
    if (kind < 0.3) return under({ sqs: null, sns }, null);
    // No operation of the API restores credentials today. A backup can, under another activation.
    if (kind < 0.4) return under({ sqs: `a${history.length}`, sns }, backup);
    if (row === null) return under({ sqs: sqs ?? `a${history.length}`, sns }, backup);
    if (kind < 0.5) return { row: null, prefixes };
    const permissions = row.permissions & READ ? WRITE : READ | WRITE;
    const lost = (row.permissions & ~permissions) !== 0;
    return { row: { ...row, permissions, version: row.version + Number(lost) }, prefixes };
  };
  const change = async () => {
    await sleep(slow());
    backup = latest().row ?? backup;
    const state = { ...apply(latest()), serial: history.length, at: now };
    history.push(state);
    count('changes');
    if (chance(crash)) return void count('crashes before the announcement');
    let reached = 0;
    const announce = () =>
      callGuard((memory) => {
        memory.changed();
        for (const wake of watchers) wake();
      }).then(
        () => reached++,
        () => count('announcements lost'),
      );
    const announced = fault === 'claims without an announcement' ? Promise.resolve() : announce();
    const began = now;
    await Promise.race([announced, sleep(DEADLINE_MS)]);
    if (now - began >= DEADLINE_MS) count('announcements late');
    if (fault === 'claims without an announcement') reached = 1;
    if (fault === 'claims what timed out') reached = 1;
    const enforced = enforcementOf(reached, 1, LEASE_SECONDS) === 'enforced';
    count(enforced ? 'enforced' : 'pending');
    reports.push({ serial: state.serial, at: now, enforced });
  };

  // The gateway.
  let remembered: Decision | undefined;
  const admitByGuard = (): Promise<Decision> =>
    callGuard(async (memory) => {
      const state = await memory.current();
      return { state, decidedAt: now, from: 'guard' };
    });
  const admit = async (): Promise<Decision> => {
    const began = now;
    if (remembered && !remembered.state.row) return checked(began, { ...remembered, decidedAt: now });
    const decision = await admitByGuard().catch(async (): Promise<Decision> => {
      count('direct reads');
      return { state: await read(), decidedAt: now, from: 'database' };
    });
    if (fault === 'unknown keys remembered in front') remembered = decision;
    return checked(began, decision);
  };
  /** Checks the invariant: who began after a change was reported must see it, at the latest when the lease has ended. */
  function checked(began: number, decision: Decision): Decision {
    const { serial } = decision.state;
    for (const report of reports) {
      const within = report.enforced ? 0 : (LEASE_SECONDS + 1) * 1000;
      if (report.serial > serial && began > report.at + within)
        violations.push(`used ${serial} at ${began}, after ${report.serial} was reported at ${report.at}`);
    }
    const next = history[serial + 1];
    if (next && decision.decidedAt - next.at > LEASE_SECONDS * 1000)
      violations.push(`used ${serial} at ${decision.decidedAt}, replaced at ${next.at}`);
    return decision;
  }
  const compare = ({ state: { row: admitted } }: Decision, { state }: Decision) => {
    if (!admitted) return 'unknown_key';
    let { row } = state;
    if (fault === 'activation not compared' && row?.sqsPrefix)
      row = { ...row, sqsPrefix: admitted.sqsPrefix };
    if (fault === 'version not compared' && row) row = { ...row, version: admitted.version };
    try {
      const caller = { credential: admitted, service: 'sqs', address: '' } as const;
      return stillPermits(caller, { requires: ['can_receive'] }, row, now) ? 'permitted' : 'interrupted';
    } catch (error) {
      return (error as GatewayError).fault;
    }
  };
  const request = async () => {
    const admitted = await admit();
    count(compare(admitted, admitted));
  };
  const receive = async () => {
    const admitted = await admit();
    if (admitted.from === 'database' || compare(admitted, admitted) !== 'permitted') return;
    const check = async () => {
      const began = now;
      return checked(began, await admitByGuard());
    };
    let ended = false;
    const wake = async () => {
      await sleep(travel());
      if (ended) return;
      const result = await check().then((current) => compare(admitted, current), String);
      if (result !== 'permitted') ended = true;
    };
    // Some lose their connection to the guard.
    const watched = chance(0.3) ? undefined : sleep(WATCH_AFTER_MS).then(() => watchers.add(wake));
    await sleep(chance(0.3) ? between(1, 50) : between(0, 20_000));
    if (!ended && chance(0.7)) {
      const arrived = now;
      const current =
        fault === 'no release' ? checked(arrived, { ...admitted, decidedAt: now }) : await check();
      if (compare(admitted, current) === 'permitted') delivered(admitted, current);
    }
    count(ended ? 'receives ended by a change' : 'receives');
    ended = true;
    await watched;
    watchers.delete(wake);
  };
  /** Checks that the credentials were not interrupted between the request and the delivery. */
  function delivered({ state: from }: Decision, { state: to }: Decision) {
    count('deliveries');
    for (const { row, serial } of history.slice(from.serial, to.serial + 1)) {
      const lost = row && (!(row.permissions & READ) || row.sqsPrefix !== from.row?.sqsPrefix);
      if (lost) violations.push(`delivered although interrupted at ${serial}`);
    }
  }

  const repeat = async (gap: number, work: () => Promise<void>) => {
    for (;;) {
      await sleep(gap * between(0, 2));
      await work().catch(() => count('unavailable'));
    }
  };
  // Some schedules change little, so that rows are kept until their lease ends.
  const calm = pick([1, 1, 20]);
  const crash = calm === 1 ? 0.05 : 0.5;
  void repeat(2500 * calm, async () => {
    // Mostly in pairs, which race.
    const pair = chance(0.7) ? sleep(between(0, 30)).then(change) : undefined;
    await change();
    await pair;
  });
  void repeat(10_000 * calm, async () => {
    instance = newInstance();
    count('evictions');
  });
  for (let client = 0; client < 2; client++) void repeat(3000, request);
  for (let client = 0; client < 2; client++) void repeat(1000, receive);
  for (let event = events.shift(); event && event.at < HORIZON_MS; event = events.shift()) {
    now = event.at;
    event.run();
    await everythingSettled();
  }
  return { violations, counts };
}

/** Resolves when no promise can settle without an event: ticks run after all microtasks. */
const everythingSettled = () => new Promise<void>((resolve) => process.nextTick(resolve));

/** Returns a generator of numbers from 0 to 1 (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
