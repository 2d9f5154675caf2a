/**
 * Thousands of schedules of the guard's protocol in virtual time, with slow reads, racing changes, crashes, and lost and
 * late announcements. The protocol breaks its promises in none, and without any one of its rules it does in some.
 */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RowMemory } from '../../functions/guard/row-memory.ts';
import { type Fault, type Planted, simulate } from './guard-model.ts';

const SCHEDULES = 2000;
/** A fault that this many schedules do not find is not found. */
const MAX_SEEDS = 1000;

const seedsFrom = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);

it(`the protocol holds in ${SCHEDULES} schedules`, async () => {
  const total: Record<string, number> = {};
  for (const seed of seedsFrom(0, SCHEDULES)) {
    const { violations, counts } = await simulate(seed);
    expect(violations, `seed ${seed}`).toEqual([]);
    for (const [what, times] of Object.entries(counts)) total[what] = (total[what] ?? 0) + times;
  }
  // Schedules in which nothing happens would prove nothing.
  for (const times of Object.values(total)) expect(times).toBeGreaterThan(SCHEDULES / 20);
  expect(Object.keys(total)).toHaveLength(16);
});

/** Expects a violation in the schedule of `seed`, which found the fault before, or in another one. */
async function expectFound(planted: Planted, seed: number): Promise<void> {
  for (const each of [seed, ...seedsFrom(0, MAX_SEEDS)]) {
    if ((await simulate(each, planted)).violations.length > 0) return;
  }
  expect.fail(`not found in ${MAX_SEEDS} schedules`);
}

describe('a schedule finds the fault', () => {
  it.each<[Fault, number]>([
    ['no lease', 9],
    ['no release', 0],
    ['activation not compared', 7],
    ['version not compared', 9],
    ['lagging replica', 0],
    ['claims what timed out', 7],
    ['claims without an announcement', 0],
    ['unknown keys remembered in front', 0],
  ])('%s', (fault, seed) => expectFound({ fault }, seed));
});

const SOURCE = readFileSync(join(import.meta.dirname, '../../functions/guard/row-memory.ts'), 'utf8');

/** Returns the memory of a row with some of its source replaced. */
async function mutant(text: string, by: string): Promise<typeof RowMemory> {
  expect(SOURCE.split(text)).toHaveLength(2);
  const source = stripTypeScriptTypes(SOURCE.replace(text, by));
  const module = `data:text/javascript,${encodeURIComponent(source)}`;
  return ((await import(/* @vite-ignore */ module)) as { RowMemory: typeof RowMemory }).RowMemory;
}

describe('a schedule finds a memory', () => {
  const [epoch, kept, reading] = ['this.#epoch++;', 'this.#kept = undefined;', 'this.#reading = undefined;'];
  const changed = `    ${epoch}\n    ${kept}\n    ${reading}\n`;

  it.each<[name: string, text: string, by: string, seed: number]>([
    ['without epochs', changed, kept, 9],
    ['that keeps its row when it changes', changed, epoch + reading, 0],
    ['that shares a read across a change', changed, epoch + kept, 1],
    ['that keeps a row whose read a change overtook', 'if (this.#reading !== reading) return;', '', 12],
    ['that does not check the lease', 'this.#kept && this.#source.now() < this.#kept.until', 'this.#kept', 2],
  ])('%s', async (_name, text, by, seed) => {
    await expectFound({ Memory: await mutant(text, by) }, seed);
  });
});
