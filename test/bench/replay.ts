/**
 * The API's statements without its code: recorded twice for each operation, on two targets, and converted to a
 * program that can run again with other parameters. It runs nothing; workers/statements.ts does.
 */

/** The statements of one round trip, as they ran. */
export interface RecordedTrip {
  /** The database's binding. */
  binding: string;
  /** Whether they ran as a batch, not as a single statement. */
  batch: boolean;
  statements: { sql: string; params: unknown[] }[];
  /** Whether they changed any row. */
  wrote: boolean;
}

/** A request's response and its round trips. */
export interface Recorded {
  status: number;
  body: string;
  trips: RecordedTrip[];
}

/**
 * A parameter: a constant; a text with the target's IDs in place of each {@link marker}; the time in milliseconds or
 * seconds; or a new text of this length, the same within one request for one `name`.
 */
export type Param =
  | { kind: 'constant'; value: unknown }
  | { kind: 'target'; text: string }
  | { kind: 'time'; unit: 1 | 1000 }
  | { kind: 'new'; name: string; length: number };

/** The statements of an operation, for any target. */
export type Program = (Omit<RecordedTrip, 'statements'> & {
  statements: { sql: string; params: Param[] }[];
})[];

/** The target of an operation: its ID, and its parent's ID if there is one. */
export type Target = readonly string[];

/** The placeholder in a text for the target's ID at this index. */
export const marker = (at: number) => `\u{0}target ${at}\u{0}`;

/**
 * Derives the program from two recordings of one operation with different targets. Throws if their statements differ.
 */
export function programOf(
  [one, other]: readonly [RecordedTrip[], RecordedTrip[]],
  targets: readonly [Target, Target],
): Program {
  return one.map(({ statements, ...trip }, at) => ({
    ...trip,
    statements: statements.map(({ sql, params }, statement) => {
      const again = other[at]?.statements[statement];
      if (again?.sql !== sql) throw new Error(`Two requests ran different statements: ${sql}`);
      return { sql, params: params.map((value, index) => paramOf(value, again.params[index], targets)) };
    }),
  }));
}

function paramOf(value: unknown, other: unknown, [target, otherTarget]: readonly [Target, Target]): Param {
  if (typeof value === 'string' && target.some((id) => value.includes(id))) {
    const text = marked(value, target);
    if (text === marked(String(other), otherTarget)) return { kind: 'target', text };
  }
  if (value === other && !isTime(value)) return { kind: 'constant', value };
  if (isTime(value)) return { kind: 'time', unit: value > 1e11 ? 1 : 1000 };
  if (typeof value === 'string') return { kind: 'new', name: value, length: value.length };
  throw new Error(`A parameter that is neither a text nor a time differs: ${typeof value}`);
}

const marked = (text: string, target: Target) =>
  target.reduce((before, id, at) => before.replaceAll(id, marker(at)), text);

/** Whether a number can be a time of this century, in seconds or milliseconds. No other parameter is as large. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value > 1e9;
}
