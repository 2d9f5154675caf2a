/**
 * Caches values that are expensive to create for the isolate's lifetime, up to a maximum number; the oldest is evicted
 * first. Callers choose cache keys such that a cached value is always still valid.
 */

/** Returns the cached value, or creates and caches it. Failures are not cached. */
export type BoundedCache<Value> = (name: string, make: () => Promise<Value>) => Promise<Value>;

/** Returns a cache of at most `limit` values. */
export function boundedCache<Value>(limit: number): BoundedCache<Value> {
  const cached = new Map<string, Value>();
  return async (name, make) => {
    const found = cached.get(name);
    if (found !== undefined) return found;
    const value = await make();
    const [oldest] = cached.keys();
    if (oldest !== undefined && cached.size >= limit) cached.delete(oldest);
    cached.set(name, value);
    return value;
  };
}
