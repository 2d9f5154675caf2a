/**
 * What the Worker's bundle has for `zod` (see `alias` in wrangler.toml): all of it by name, so that what nobody uses is
 * left out, and for `@hono/zod-openapi`, which takes the whole as one object, no more than that reads of it. Otherwise
 * the messages of every language would be in the Worker.
 */
import { ZodType } from 'zod/v4';

export * from 'zod/v4';

/** What `@hono/zod-openapi` reads of zod. */
export const z = { ZodType };
