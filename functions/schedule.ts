/** Jobs of the schedule: each fails by itself, and its failure is logged with what failed, where and why. */

/**
 * Does a job's work. Resolves to whether it went well; a failure is logged with the innermost reasons, whose errors do not
 * repeat the query with its parameters as those around them do. `where` is a region, or `identity`.
 */
export async function runJob(job: string, where: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    console.error(JSON.stringify({ schedule: job, where, reasons: reasonsOf(error).slice(0, MOST_REASONS) }));
    return false;
  }
}

const MOST_REASONS = 5;

function reasonsOf(error: unknown): string[] {
  if (error instanceof AggregateError) return error.errors.flatMap(reasonsOf);
  if (error instanceof Error && error.cause !== undefined) return reasonsOf(error.cause);
  return [error instanceof Error ? error.message : 'unknown'];
}

/** The items in random order: those that fail or take long must not be the ones before which every run ends. */
export function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/**
 * Does the work for each item, `atOnce` at a time, and goes on when one fails: what waits for a server that is silent
 * must not hold up all others. Begins nothing after `deadline` (milliseconds since the epoch). Resolves to how many
 * items it began, in order; a failure is logged with the item.
 */
export async function someAtOnce<Item extends string>(
  job: string,
  where: string,
  items: readonly Item[],
  { atOnce, deadline }: { atOnce: number; deadline: number },
  work: (item: Item) => Promise<unknown>,
): Promise<number> {
  let begun = 0;
  const worker = async () => {
    while (begun < items.length && Date.now() < deadline) {
      const item = items[begun++] as Item;
      await runJob(`${job} ${item}`, where, () => work(item));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return begun;
}
