/** Times code inside the runtime: in a Worker made with workers/loops.ts, with alternating candidates. */
import { interleave } from './rounds.ts';
import type { BenchWorker } from './worker.ts';

/** Short and many, because the measured times are so small that other load shows. */
const SLICES = 5;

/**
 * Returns the microseconds that each piece takes, by name, for each round's slice. `times` runs are timed together,
 * minus the time of the request itself.
 */
export function timeLoops<Name extends string>(
  { origin }: BenchWorker,
  { rounds, times, query = {} }: { rounds: number; times: number; query?: Record<string, string> },
  names: readonly Name[],
): Promise<Record<Name, number[]>> {
  const milliseconds = async (of: Name, times: number) => {
    const parameters = new URLSearchParams({ ...query, of, times: String(times) });
    const start = performance.now();
    const response = await fetch(`${origin}/?${parameters}`);
    if ((await response.text()) !== String(times)) throw new Error(`${of} could not be measured`);
    return performance.now() - start;
  };
  const candidates = names.map((of) => {
    const slice = async () => ((await milliseconds(of, times)) - (await milliseconds(of, 0))) * 1000;
    return [of, async () => (await slice()) / times] as const;
  });
  const all = Object.fromEntries(candidates) as Record<Name, () => Promise<number>>;
  return interleave(SLICES * rounds, all) as Promise<Record<Name, number[]>>;
}
