/** Runs scheduled jobs. Each can fail without affecting the others; failures are logged with job, place and reason. */

/**
 * Runs a job and resolves to whether it succeeded. A failure is logged with its innermost causes only: outer errors
 * repeat the query with its parameters. `where` is a region, or `identity`.
 */
export async function runJob(job: string, where: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    console.error(JSON.stringify({ schedule: job, where, reasons: reasonsOf(error).slice(0, MAX_REASONS) }));
    return false;
  }
}

const MAX_REASONS = 5;

function reasonsOf(error: unknown): string[] {
  if (error instanceof AggregateError) return error.errors.flatMap(reasonsOf);
  if (error instanceof Error && error.cause !== undefined) return reasonsOf(error.cause);
  return [error instanceof Error ? error.message : 'unknown'];
}

/** Returns the items in random order, so that failing or slow items do not block the same others in every run. */
export function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/**
 * Runs the work for each item, `atOnce` at a time, and continues after failures, so that a server that does not
 * respond does not block the others. Starts nothing after `deadline` (milliseconds since the epoch). Resolves to the
 * number of items started, in order. A failure is logged with the item.
 */
export async function forEachConcurrent<Item extends string>(
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
