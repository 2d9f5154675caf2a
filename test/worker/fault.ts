/** Databases that fail, or wait, at a statement of the test's choice. Everything else they do is real. */
import type { D1Database, D1PreparedStatement } from '@cloudflare/workers-types';

const ORIGINAL = Symbol('the statement behind a watched one');
const TEXT = Symbol('its text');

type Run = <Result>(texts: string[], run: () => Promise<Result>) => Promise<Result>;

/** The database, each of whose round trips goes through `around` with the texts of its statements. */
function watched(database: D1Database, around: Run): D1Database {
  const session = database.withSession('first-primary');
  const statement = (text: string, original: D1PreparedStatement): D1PreparedStatement =>
    ({
      [ORIGINAL]: original,
      [TEXT]: text,
      bind: (...values: unknown[]) => statement(text, original.bind(...values)),
      all: () => around([text], () => original.all()),
      run: () => around([text], () => original.run()),
      raw: () => around([text], () => original.raw()),
    }) as unknown as D1PreparedStatement;
  return {
    withSession: () => ({
      prepare: (text: string) => statement(text, session.prepare(text)),
      batch: (statements: { [ORIGINAL]: D1PreparedStatement; [TEXT]: string }[]) =>
        around(
          statements.map((one) => one[TEXT]),
          () => session.batch(statements.map((one) => one[ORIGINAL])),
        ),
    }),
  } as unknown as D1Database;
}

/** The database, out of reach whenever a statement matches: before it has run, or after, so that nobody hears of it. */
export function failing(
  database: D1Database,
  at: RegExp,
  when: 'before' | 'after' = 'before',
  message = 'D1_ERROR: Network connection lost.',
): D1Database {
  return watched(database, async (texts, run) => {
    const fails = texts.some((text) => at.test(text));
    if (!fails || when === 'after') {
      const result = await run();
      if (!fails) return result;
    }
    throw new Error(message);
  });
}

/** The database, and a gate in it: statements that match wait before it. `arrived` resolves when `count` of them do. */
export function gated(database: D1Database, at: RegExp, count = 1) {
  const arrived = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let waiting = 0;
  const behind = watched(database, async (texts, run) => {
    if (texts.some((text) => at.test(text))) {
      if (++waiting === count) arrived.resolve();
      await opened.promise;
    }
    return run();
  });
  return { database: behind, arrived: arrived.promise, open: () => opened.resolve() };
}

/** The database, behind whose sessions is a replica that lags for ever: each goes on seeing what it saw first. */
export function lagging(database: D1Database): D1Database {
  return {
    withSession: () => {
      const first = new Map<string, Promise<unknown>>();
      const session = watched(database, (texts, run) => {
        const text = texts.join(';');
        const seen = first.get(text) ?? run();
        first.set(text, seen);
        return seen as ReturnType<typeof run>;
      });
      return session.withSession();
    },
  } as unknown as D1Database;
}
