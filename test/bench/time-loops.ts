/** Times pieces of code inside the runtime: in a Worker made by workers/loops.ts, candidates taking turns. */
import { interleave } from './rounds.ts';
import type { BenchWorker } from './worker.ts';

/** Short ones and many, since what is measured is so small that whatever else the machine does shows. */
const SLICES = 5;

/**
 * Microseconds that each piece takes, by its name, for every slice of so many rounds; `times` of them are timed together,
 * and what the request that asks for them takes by itself is subtracted.
 */
export function timeLoops<Name extends string>(
  { origin }: BenchWorker,
  { rounds, times, query = {} }: { rounds: number; times: number; query?: Record<string, string> },
  names: readonly Name[],
): Promise<Record<Name, number[]>> {
  const milliseconds = async (of: Name, times: number) => {
    const parameters = new URLSearchParams({ ...query, of, times: String(times) });
    const start = performance.now();
    const answer = await fetch(`${origin}/?${parameters}`);
    if ((await answer.text()) !== String(times)) throw new Error(`${of} could not be measured`);
    return performance.now() - start;
  };
  const candidates = names.map((of) => {
    const slice = async () => ((await milliseconds(of, times)) - (await milliseconds(of, 0))) * 1000;
    return [of, async () => (await slice()) / times] as const;
  });
  const all = Object.fromEntries(candidates) as Record<Name, () => Promise<number>>;
  return interleave(SLICES * rounds, all) as Promise<Record<Name, number[]>>;
}
