/** Combining concurrent reads: how many rows a query reads, and that no row is older than its request. */
import { describe, expect, it } from 'vitest';
import { type BatchedRead, batchReads } from '../../functions/nats/batch-reads.ts';

/** A table of versions that changes while queries are under way. Each query waits for `finish`. */
function slowTable() {
  const queries: { keys: readonly string[]; finish: () => void; fail: () => void }[] = [];
  let version = 0;
  const read = async (keys: readonly string[]) => {
    const rows = new Map(keys.filter((key) => key !== 'unknown').map((key) => [key, `${key} ${version}`]));
    await new Promise<void>((resolve, reject) => {
      queries.push({ keys, finish: resolve, fail: () => reject(new Error('query failed')) });
    });
    return rows;
  };
  const readerOf = (batched: BatchedRead<string>) => (key: string) => batched(key, read, () => {});
  return { readerOf, read, queries, change: () => ++version };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const PATIENCE = 10_000;

describe('concurrent reads', () => {
  it('are combined, up to the size of a query', async () => {
    const { readerOf, queries } = slowTable();
    const readOne = readerOf(batchReads({ size: 3, patience: PATIENCE }));
    const results = ['a', 'b', 'c', 'b', 'd'].map(readOne);
    for (let query = 0; query < 2; query++) {
      await settle();
      expect(queries).toHaveLength(query + 1);
      queries[query]?.finish();
    }
    expect(await Promise.all(results)).toEqual(['a 0', 'b 0', 'c 0', 'b 0', 'd 0']);
    expect(queries.map(({ keys }) => keys)).toEqual([
      ['a', 'b', 'c'],
      ['b', 'd'],
    ]);
  });

  it('that begin during a query are combined into the next one', async () => {
    const { readerOf, queries } = slowTable();
    const readOne = readerOf(batchReads({ size: 100, patience: PATIENCE }));
    const first = readOne('a');
    await settle();
    const rest = ['b', 'c', 'd'].map(readOne);
    await settle();
    expect(queries.map(({ keys }) => keys)).toEqual([['a']]);
    queries[0]?.finish();
    await settle();
    queries[1]?.finish();
    expect(await Promise.all([first, ...rest])).toEqual(['a 0', 'b 0', 'c 0', 'd 0']);
    expect(queries.map(({ keys }) => keys)).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('return null for a key without a row', async () => {
    const { readerOf, queries } = slowTable();
    const result = readerOf(batchReads({ size: 3, patience: PATIENCE }))('unknown');
    await settle();
    queries[0]?.finish();
    expect(await result).toBeNull();
  });

  it('are kept alive by the request whose query they wait for', async () => {
    const { read, queries } = slowTable();
    const batched = batchReads<string>({ size: 3, patience: PATIENCE });
    const kept: string[] = [];
    const results = ['a', 'b', 'c', 'd'].map((key) => batched(key, read, () => kept.push(key)));
    for (let query = 0; query < 2; query++) {
      await settle();
      queries[query]?.finish();
    }
    await Promise.all(results);
    expect(kept).toEqual(['a', 'd']);
  });
});

describe('a read', () => {
  it('that begins after a change returns the change, although an older query is under way', async () => {
    const { readerOf, queries, change } = slowTable();
    const readOne = readerOf(batchReads({ size: 3, patience: PATIENCE }));
    const older = readOne('a');
    await settle();
    change();
    const newer = readOne('a');
    queries[0]?.finish();
    expect(await older).toBe('a 0');
    await settle();
    queries[1]?.finish();
    expect(await newer).toBe('a 1');
  });

  it('fails with its own query, and the next query runs', async () => {
    const { readerOf, queries } = slowTable();
    const readOne = readerOf(batchReads({ size: 3, patience: PATIENCE }));
    const first = readOne('a');
    await settle();
    const rest = ['b', 'c'].map(readOne);
    queries[0]?.fail();
    await expect(first).rejects.toThrow('query failed');
    await settle();
    queries[1]?.finish();
    expect(await Promise.all(rest)).toEqual(['b 0', 'c 0']);
  });

  it('that waits too long for the query of another reads alone, and later ones do not wait for it', async () => {
    const { readerOf, queries } = slowTable();
    const readOne = readerOf(batchReads({ size: 3, patience: 20 }));
    const stuck = readOne('a');
    await settle();
    const results = ['b', 'c'].map(readOne);
    // The query of `a` never finishes: theirs begins without it.
    await expect.poll(() => queries.map(({ keys }) => keys)).toContainEqual(['b', 'c']);
    await expect.poll(() => queries.map(({ keys }) => keys)).toContainEqual(['c']);
    const later = readOne('d');
    await expect.poll(() => queries.map(({ keys }) => keys)).toContainEqual(['d']);
    for (const { finish } of queries.slice(1)) finish();
    expect(await Promise.all([...results, later])).toEqual(['b 0', 'c 0', 'd 0']);
    queries[0]?.finish();
    await stuck;
  });
});
