/**
 * Derives attributes of form controls from the API's schemas, to give forms and API the same limits. Runs in the build
 * only, to keep zod out of pages.
 */
import * as z from 'zod';

export interface TextAttributes {
  minlength?: number;
  /** The maximum length, which form.ts checks. Not `maxlength`, because browsers cut pasted text off at that length. */
  'data-max'?: number;
  pattern?: string;
}

/** Returns the attributes of a text control for values that `schema` (a string, possibly nullable) accepts. */
export function textAttributes(schema: z.ZodType): TextAttributes {
  const shape = z.toJSONSchema(schema, { io: 'input' });
  const { minLength, maxLength, pattern } = shape.anyOf?.[0] ?? shape;
  return {
    ...(minLength !== undefined && { minlength: minLength }),
    ...(maxLength !== undefined && { 'data-max': maxLength }),
    // HTML patterns are always anchored.
    ...(pattern !== undefined && { pattern: pattern.replace(/^\^/, '').replace(/\$$/, '') }),
  };
}
