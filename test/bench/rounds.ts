/** Rounds and what is told of them: medians, percentiles, spread. Machines are noisy, so candidates take turns. */

/** Measurements of one candidate, or several of them by name, in each round. */
export type Measured<Candidates extends Record<string, () => Promise<unknown>>> = {
  [Name in keyof Candidates]: Awaited<ReturnType<Candidates[Name]>>[];
};

/**
 * Measures each candidate once in every round, in an order that turns around from round to round. A round before them is
 * not counted: it pays for what is loaded and compiled once.
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

/** The number that so many of a hundred are not above (nearest rank). */
export function percentile(numbers: readonly number[], rank: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** The middle of the numbers, and the quarters' ends around it: half of the numbers lie between those. */
export interface Spread {
  median: number;
  lower: number;
  upper: number;
}

/** See {@link Spread}. */
export function spreadOf(numbers: readonly number[]): Spread {
  return {
    median: percentile(numbers, 50),
    lower: percentile(numbers, 25),
    upper: percentile(numbers, 75),
  };
}

/**
 * The ratio of each round: value over baseline. A baseline of one value holds for every round. There are none when it was
 * too small for the clock in any round: those of the others would be of the rounds in which it came out large.
 */
export function ratios(values: readonly number[], baseline: readonly number[]): number[] {
  if (baseline.includes(0)) return [];
  return values
    .map((value, round) => value / (baseline[baseline.length === 1 ? 0 : round] ?? Number.NaN))
    .filter(Number.isFinite);
}
