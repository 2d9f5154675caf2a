/** The memory of a row: how long it keeps the row, which reads are shared, and what it does when they fail. */
import { expect, it } from 'vitest';
import { NeverSettled, RowMemory } from '../../functions/guard/row-memory.ts';

/** A memory whose clock and reads the test controls. */
function newMemory() {
  const reads: PromiseWithResolvers<string>[] = [];
  const clock = { now: 0 };
  const memory = new RowMemory<string>({
    read() {
      const read = Promise.withResolvers<string>();
      reads.push(read);
      return read.promise;
    },
    now: () => clock.now,
    lease: () => 1000,
  });
  return { memory, reads, clock };
}

it('the row is used until its lease ends, which began with the read', async () => {
  const { memory, reads, clock } = newMemory();
  const first = memory.current();
  clock.now = 600;
  reads[0]?.resolve('a');
  expect(await first).toBe('a');
  clock.now = 999;
  expect(await memory.current()).toBe('a');
  clock.now = 1000;
  const second = memory.current();
  expect(reads).toHaveLength(2);
  reads[1]?.resolve('b');
  expect(await second).toBe('b');
});

it('concurrent callers share a read, also when it fails, and the next call reads again', async () => {
  const { memory, reads } = newMemory();
  const all = Array.from({ length: 200 }, () => memory.current());
  expect(reads).toHaveLength(1);
  reads[0]?.reject(new Error('down'));
  expect((await Promise.allSettled(all)).every(({ status }) => status === 'rejected')).toBe(true);
  const next = memory.current();
  expect(reads).toHaveLength(2);
  reads[1]?.resolve('a');
  expect(await next).toBe('a');
});

it('a read that a change overtakes is repeated for all who wait for it', async () => {
  const { memory, reads } = newMemory();
  const waiting = [memory.current(), memory.current()];
  memory.changed();
  const later = memory.current();
  expect(reads).toHaveLength(2);
  reads[0]?.resolve('old');
  reads[1]?.resolve('new');
  expect(await Promise.all([...waiting, later])).toEqual(['new', 'new', 'new']);
  expect(reads).toHaveLength(2);
});

it('a read that fails after a change does not affect the read that replaced it', async () => {
  const { memory, reads } = newMemory();
  const waiting = memory.current();
  memory.changed();
  const later = memory.current();
  reads[0]?.reject(new Error('down'));
  await expect(waiting).rejects.toThrow('down');
  reads[1]?.resolve('new');
  expect(await later).toBe('new');
  expect(await memory.current()).toBe('new');
  expect(reads).toHaveLength(2);
});

it('a row that changes during every read is given up after three reads', async () => {
  const { memory, reads } = newMemory();
  const waiting = memory.current();
  const settled = expect(waiting).rejects.toBeInstanceOf(NeverSettled);
  for (let read = 0; read < 3; read++) {
    await expect.poll(() => reads.length).toBe(read + 1);
    memory.changed();
    reads[read]?.resolve('old');
  }
  await settled;
  expect(reads).toHaveLength(3);
});

it('a source that throws is asked again', async () => {
  let fails = true;
  const memory = new RowMemory({
    read() {
      if (fails) throw new Error('not configured');
      return Promise.resolve('a');
    },
    now: () => 0,
    lease: () => 1000,
  });
  await expect(memory.current()).rejects.toThrow('not configured');
  fails = false;
  expect(await memory.current()).toBe('a');
});
