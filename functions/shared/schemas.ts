/** Schemas that several APIs share: ids, names, times, filters and pages of lists. */
import * as z from 'zod';

/** A UUID, converted to lower case. */
export const uuid = z.guid().toLowerCase();

/**
 * Any Unicode text without control characters, line and paragraph separators, lone surrogates and characters that
 * control text direction. Prevents spoofing: an override in a name would reverse the text around it, such as the
 * question to confirm a revocation. Has no flags, so that it also works in JSON Schema and in a form's `pattern`.
 */
const PRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it excludes.
  /^(?:[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])*$/;

/** Single-line text of at most `max` UTF-16 units, trimmed: {@link PRINTABLE}. Can be empty. */
export const singleLine = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .regex(PRINTABLE, 'must not contain control characters, line breaks or text direction controls');

/** A name of at most `max` UTF-16 units: {@link singleLine}, but not empty. */
export const nameSchema = (max: number) => singleLine(max).min(1);

/** The name of a person or an organization. */
export const displayName = nameSchema(100);

/** A time in RFC 3339, in UTC. */
export const timestamp = z.iso.datetime();

/** RFC 3339 with any offset → milliseconds since the epoch. */
export const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** CIDR blocks: `192.0.2.0/24`, `2001:db8::/32`. */
export const sourceIps = z
  .array(z.union([z.cidrv4(), z.cidrv6()], { error: 'must be a CIDR block: 192.0.2.0/24 or 2001:db8::/32' }))
  .min(1)
  .max(20);

/** Query parameters of every list. */
export const paging = z.object({
  page: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31)
    .default(1),
  page_size: z.coerce.number().int().min(1).max(100).default(50),
  order_by: z
    .enum(['created_at_asc', 'created_at_desc', 'updated_at_asc', 'updated_at_desc', 'name_asc', 'name_desc'])
    .default('created_at_asc'),
});

/** Returns JSON Schema for "exactly one of these members". Null counts as absent, as in the refinements. */
export const exactlyOne = (...names: string[]): { oneOf: Record<string, unknown>[] } => ({
  oneOf: names.map((name) => ({
    type: 'object',
    required: [name],
    properties: Object.fromEntries(
      names.map((other) => [other, { type: other === name ? ['string', 'array', 'object'] : 'null' }]),
    ),
  })),
});

/**
 * A filter by one of these values. `unknown` is the zero value of the enum, which official clients send for no filter;
 * it matches everything.
 */
export const enumFilter = <const Values extends readonly [string, ...string[]]>(
  unknown: `unknown_${string}`,
  values: Values,
) =>
  z
    .enum([unknown, ...values])
    .optional()
    .transform((value) => (value === unknown ? undefined : (value as Values[number] | undefined)));

/** The path parameters of every regional endpoint. The OpenAPI document lists the regions that are served. */
export const regionParams = z.object({ region: z.string() });

/** Returns the schema of a list: one page, and the total number of items on all pages. */
export const listOf = <Key extends string, Item extends z.ZodType>(key: Key, item: Item) =>
  z.object({ total_count: z.number().int(), [key]: z.array(item) } as {
    total_count: z.ZodNumber;
  } & Record<Key, z.ZodArray<Item>>);
