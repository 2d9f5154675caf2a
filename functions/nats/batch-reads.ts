/** Combines the concurrent reads of single rows in an isolate into few queries. */

/** Reads the rows with these keys, by key. */
export type ReadRows<Row> = (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>;

/**
 * Returns the row, or null if there is none. `read` is used for this row alone or for others too. `keepAlive` gets work
 * that other requests wait for, and which must therefore continue if the client of this one disconnects.
 */
export type BatchedRead<Row> = (
  key: string,
  read: ReadRows<Row>,
  keepAlive: (work: Promise<unknown>) => void,
) => Promise<Row | null>;

interface Batch<Row> {
  keys: Set<string>;
  rows: Promise<ReadonlyMap<string, Row>>;
}

/**
 * Returns a function that reads rows with one query at a time, each for at most `size` keys. Requests during a query wait
 * for the next one. It begins after each of its requests, so a row is never older than one that was read alone.
 *
 * Each query belongs to the request that was the first to need it. After `patience` milliseconds without its result,
 * the others stop waiting: they read alone, and the next query begins.
 */
export function batchReads<Row>({ size, patience }: { size: number; patience: number }): BatchedRead<Row> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Batch<Row> | undefined;

  function plan(read: ReadRows<Row>, keepAlive: (work: Promise<unknown>) => void): Batch<Row> {
    const before = running;
    const batch: Batch<Row> = { keys: new Set(), rows: Promise.resolve(new Map()) };
    batch.rows = (async () => {
      await within(patience, before);
      if (next === batch) next = undefined;
      return read([...batch.keys]);
    })();
    running = batch.rows.catch(() => {});
    keepAlive(running);
    return batch;
  }

  return async (key, read, keepAlive) => {
    if (!next || next.keys.size >= size) next = plan(read, keepAlive);
    next.keys.add(key);
    const rows = (await within(patience, next.rows)) ?? (await read([key]));
    return rows.get(key) ?? null;
  };
}

/** Resolves to the result of the work, or to undefined after the time in milliseconds. */
async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
