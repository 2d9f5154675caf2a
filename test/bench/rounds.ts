/** Rounds and their statistics: medians, percentiles, spread. Machines are noisy, so candidates alternate. */

/** The measurements of each round: of one candidate, or of several by name. */
export type Measured<Candidates extends Record<string, () => Promise<unknown>>> = {
  [Name in keyof Candidates]: Awaited<ReturnType<Candidates[Name]>>[];
};

/**
 * Measures each candidate once in every round, in an order that reverses from round to round. A warm-up round is not
 * counted: it includes loading and compiling.
 */
export async function interleave<Candidates extends Record<string, () => Promise<unknown>>>(
  rounds: number,
  candidates: Candidates,
): Promise<Measured<Candidates>> {
  const names = Object.keys(candidates);
  const measured: Record<string, unknown[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const sample = await candidates[name]?.();
      if (round >= 0) measured[name]?.push(sample);
    }
  }
  return measured as Measured<Candidates>;
}

/** Returns the percentile of the numbers (nearest rank). */
export function percentile(numbers: readonly number[], rank: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** The median and the quartiles: half of the numbers are between the quartiles. */
export interface Spread {
  median: number;
  lower: number;
  upper: number;
}

/** Returns the {@link Spread} of the numbers. */
export function spreadOf(numbers: readonly number[]): Spread {
  return {
    median: percentile(numbers, 50),
    lower: percentile(numbers, 25),
    upper: percentile(numbers, 75),
  };
}

/**
 * Returns value / baseline for each round. A single baseline applies to every round. Returns none if the baseline was
 * too small to measure in any round: the remaining rounds would be those with a large baseline.
 */
export function ratios(values: readonly number[], baseline: readonly number[]): number[] {
  if (baseline.includes(0)) return [];
  return values
    .map((value, round) => value / (baseline[baseline.length === 1 ? 0 : round] ?? Number.NaN))
    .filter(Number.isFinite);
}
