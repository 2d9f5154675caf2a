/** Defines the shapes of readers' feedback on pages. */
import * as z from 'zod';

export const feedbackBody = z.object({
  /**
   * The page's path. Double slashes are rejected: at the start of a link, browsers would treat the next segment as a
   * host.
   */
  page: z
    .string()
    .max(200)
    .regex(/^\/(?:[A-Za-z0-9_-]+\/)*[A-Za-z0-9_-]*$/, "must be a page's path"),
  helpful: z.boolean(),
  remark: z.string().trim().max(2000).default(''),
});

/** Feedback as an Owner reads it. */
export const feedback = feedbackBody.extend({ at: z.iso.datetime() }).meta({ id: 'Feedback' });
