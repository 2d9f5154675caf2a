/**
 * What the API's statements are beside their code: recorded twice for each operation, on two targets, and turned into a
 * program that can be run again and again with parameters of its own. Runs nothing; workers/statements.ts does.
 */

/** Statements of one round trip, as they ran. */
export interface RecordedTrip {
  /** The database's binding. */
  binding: string;
  /** Whether they ran as a batch, rather than as one statement alone. */
  batch: boolean;
  statements: { sql: string; params: unknown[] }[];
  /** Whether they changed any row. */
  wrote: boolean;
}

/** A request's answer and what it took. */
export interface Recorded {
  status: number;
  body: string;
  trips: RecordedTrip[];
}

/**
 * A parameter: the same each time; a text with ids of the target in the places of {@link marker}; the time in
 * milliseconds or in seconds; or a new text of so many characters, the same within one request where `name` is.
 */
export type Param =
  | { kind: 'constant'; value: unknown }
  | { kind: 'target'; text: string }
  | { kind: 'time'; unit: 1 | 1000 }
  | { kind: 'new'; name: string; length: number };

/** What an operation runs, for any target. */
export type Program = (Omit<RecordedTrip, 'statements'> & {
  statements: { sql: string; params: Param[] }[];
})[];

/** What an operation is performed on: its id, and where there is one, the id of what that is in. */
export type Target = readonly string[];

/** What stands in a text for the target's id at this index. */
export const marker = (at: number) => `\u{0}target ${at}\u{0}`;

/** The program of two recordings of one operation, each of its own target. Throws when they differ in statements. */
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

/** Any number that could be a time of this century, in seconds or milliseconds: no other is as large. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value > 1e9;
}
