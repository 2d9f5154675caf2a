/**
 * Values that are costly to make and kept for as long as the isolate lives: no more than so many, the oldest is let go
 * first. What they are and whether they may still be used is their owner's to say, by the name it keeps them under.
 */

/** The value kept under this name, or the one that `make` makes now. What fails is not kept. */
export type Kept<Value> = (name: string, make: () => Promise<Value>) => Promise<Value>;

/** Keeps at most so many values. */
export function keepNewest<Value>(most: number): Kept<Value> {
  const kept = new Map<string, Value>();
  return async (name, make) => {
    const found = kept.get(name);
    if (found !== undefined) return found;
    const value = await make();
    const [oldest] = kept.keys();
    if (oldest !== undefined && kept.size >= most) kept.delete(oldest);
    kept.set(name, value);
    return value;
  };
}
