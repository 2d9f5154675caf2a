/** Times pieces of code inside the runtime: in a Worker made by workers/loops.ts, candidates taking turns. */
import { interleave } from './rounds.ts';
import type { BenchWorker } from './worker.ts';

/** Short ones and many, since what is measured is so small that whatever else the machine does shows. */
const SLICES = 5;

/** Microseconds that each piece takes, by its name, for every slice of so many rounds; `times` of them are timed together. */
export function timeLoops<Name extends string>(
  { origin }: BenchWorker,
  { rounds, times, query = {} }: { rounds: number; times: number; query?: Record<string, string> },
  names: readonly Name[],
): Promise<Record<Name, number[]>> {
  const candidates = names.map((of) => {
    const parameters = new URLSearchParams({ ...query, of, times: String(times) });
    const slice = async () => {
      const start = performance.now();
      const answer = await fetch(`${origin}/?${parameters}`);
      if ((await answer.text()) !== String(times)) throw new Error(`${of} could not be measured`);
      return ((performance.now() - start) * 1000) / times;
    };
    return [of, slice] as const;
  });
  const all = Object.fromEntries(candidates) as Record<Name, () => Promise<number>>;
  return interleave(SLICES * rounds, all) as Promise<Record<Name, number[]>>;
}
