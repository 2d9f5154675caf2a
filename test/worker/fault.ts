/** Wraps real databases to inject faults, delays and replica lag at matching statements. */
import type { D1Database, D1PreparedStatement } from '@cloudflare/workers-types';

const ORIGINAL = Symbol('the statement behind a watched one');
const TEXT = Symbol('its text');

type Run = <Result>(texts: string[], run: () => Promise<Result>) => Promise<Result>;

/** Wraps the database: every round trip goes through `around` with the texts of its statements. */
export function intercepted(database: D1Database, around: Run): D1Database {
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

/** Wraps the database to fail at matching statements, before they run or after, when the response is lost. */
export function failing(
  database: D1Database,
  at: RegExp,
  when: 'before' | 'after' = 'before',
  message = 'D1_ERROR: Network connection lost.',
): D1Database {
  return intercepted(database, async (texts, run) => {
    const fails = texts.some((text) => at.test(text));
    if (!fails || when === 'after') {
      const result = await run();
      if (!fails) return result;
    }
    throw new Error(message);
  });
}

/**
 * Wraps the database to block matching statements until `open` is called. `arrived` resolves when `count` of them
 * wait.
 */
export function gated(database: D1Database, at: RegExp, count = 1) {
  const arrived = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let waiting = 0;
  const blocked = intercepted(database, async (texts, run) => {
    if (texts.some((text) => at.test(text))) {
      if (++waiting === count) arrived.resolve();
      await opened.promise;
    }
    return run();
  });
  return { database: blocked, arrived: arrived.promise, open: () => opened.resolve() };
}

/** Wraps the database to act as a stale replica: each session keeps returning the first result of a query. */
export function lagging(database: D1Database): D1Database {
  return {
    withSession: () => {
      const first = new Map<string, Promise<unknown>>();
      const session = intercepted(database, (texts, run) => {
        const text = texts.join(';');
        const seen = first.get(text) ?? run();
        first.set(text, seen);
        return seen as ReturnType<typeof run>;
      });
      return session.withSession();
    },
  } as unknown as D1Database;
}
