/**
 * Caches values that are expensive to create for the isolate's lifetime, up to a maximum number; the oldest is evicted
 * first. Callers choose cache keys such that a cached value is always still valid.
 */

/** Returns the cached value, or creates and caches it. Failures are not cached. */
export type Kept<Value> = (name: string, make: () => Promise<Value>) => Promise<Value>;

/** Returns a cache of at most `most` values. */
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
