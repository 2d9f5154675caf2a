/**
 * The attributes of form controls, derived from the schemas that validate the API's requests, so that a form and the
 * API can never disagree on a length. Used while building only: zod does not reach the browser.
 */
import * as z from 'zod';

/** What a text control takes from a schema. */
export interface TextAttributes {
  minlength?: number;
  /** The longest that form.ts accepts. Not `maxlength`, by which a browser cuts off what is pasted. */
  'data-max'?: number;
  pattern?: string;
}

/** The attributes of a text control that holds what `schema` (a string, or null too) accepts. */
export function textAttributes(schema: z.ZodType): TextAttributes {
  const shape = z.toJSONSchema(schema, { io: 'input' });
  const { minLength, maxLength, pattern } = shape.anyOf?.[0] ?? shape;
  return {
    ...(minLength !== undefined && { minlength: minLength }),
    ...(maxLength !== undefined && { 'data-max': maxLength }),
    // An HTML pattern is anchored by itself.
    ...(pattern !== undefined && { pattern: pattern.replace(/^\^/, '').replace(/\$$/, '') }),
  };
}
