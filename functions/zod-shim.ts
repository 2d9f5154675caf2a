/**
 * Replaces `zod` in the Worker's bundle (see `alias` in wrangler.toml), to keep zod's locales out of it: named exports
 * can be tree-shaken, and `@hono/zod-openapi`, which imports the whole `z` object, gets only the part it reads.
 */
import { ZodType } from 'zod/v4';

export * from 'zod/v4';

/** The only part of `z` that `@hono/zod-openapi` reads. */
export const z = { ZodType };
