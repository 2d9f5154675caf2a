/** The shapes of what readers say of pages. */
import * as z from 'zod';

/** What a reader says of a page. */
export const feedbackBody = z.object({
  /** The path of the page. Never two slashes in a row: at the start, a browser would take what follows for a host. */
  page: z
    .string()
    .max(200)
    .regex(/^\/(?:[A-Za-z0-9_-]+\/)*[A-Za-z0-9_-]*$/, 'must be the path of a page'),
  helpful: z.boolean(),
  remark: z.string().trim().max(2000).default(''),
});

/** The same as the Owner reads it. */
export const feedback = feedbackBody.extend({ at: z.iso.datetime() }).meta({ id: 'Feedback' });
