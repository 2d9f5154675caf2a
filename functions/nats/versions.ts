/**
 * Which versions of nats-server Latchkey supports, and the known faults of each version that concern it. The table is
 * `server-versions.json`, because `npm start` reads it too, before any TypeScript runs. A bound in the table is the
 * upstream fix, or, where that is not known, the first version that was seen without the fault.
 */
import table from './server-versions.json' with { type: 'json' };

/** A version: major, minor, patch, and whether it is a pre-release (`2.15.0-RC.1`), which sorts before its release. */
export interface ServerVersion {
  numbers: readonly [number, number, number];
  preRelease: boolean;
}

/** A fault of some versions of nats-server. */
export interface ServerFault {
  id: string;
  /** One sentence: what goes wrong. */
  summary: string;
  /** The advisory or the upstream fix, if there is one. */
  reference?: string;
  /** Version ranges that have the fault: `from` inclusive (from the first one if absent), `before` exclusive. */
  affected: readonly { from?: string; before: string }[];
}

/** The least version supported on each line, oldest line first. Lines newer than the last one are supported. */
export const leastSupported: readonly string[] = table.leastSupported;

/** The line to recommend to operators, for example `2.15`. */
export const recommended: string = table.recommended;

/** All faults known. */
export const faults: readonly ServerFault[] = table.faults;

/**
 * Parses `2.11.16`, `v2.11.16`, `2.15.0-RC.1` or `2.15.0+build`: the `version` of a server's INFO, the `server.ver` of
 * its replies. Returns undefined for anything else.
 */
export function parse(version: string): ServerVersion | undefined {
  const match = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(-[\w.-]+)?(?:\+[\w.-]+)?$/.exec(version);
  if (!match) return undefined;
  const [, major, minor, patch, suffix] = match;
  return { numbers: [Number(major), Number(minor), Number(patch)], preRelease: suffix !== undefined };
}

/** Whether a server of this version is supported. False for text that is not a version. */
export function isSupported(version: string): boolean {
  const parsed = parse(version);
  if (!parsed) return false;
  const lines = leastSupported.map(bound);
  const own = lines.find((least) => compareLines(parsed, least) === 0);
  if (own) return compare(parsed, own) >= 0;
  return lines.every((least) => compareLines(parsed, least) > 0);
}

/** The known faults of a server of this version. Empty for text that is not a version: nothing is known of it. */
export function faultsOf(version: string): ServerFault[] {
  const parsed = parse(version);
  if (!parsed) return [];
  return faults.filter(({ affected }) =>
    affected.some(
      ({ from, before }) =>
        (from === undefined || compare(parsed, bound(from)) >= 0) && compare(parsed, bound(before)) < 0,
    ),
  );
}

function bound(version: string): ServerVersion {
  const parsed = parse(version);
  if (!parsed) throw new Error(`server-versions.json: ${version} is not a version`);
  return parsed;
}

function compare(a: ServerVersion, b: ServerVersion): number {
  return compareLines(a, b) || a.numbers[2] - b.numbers[2] || Number(b.preRelease) - Number(a.preRelease);
}

function compareLines(a: ServerVersion, b: ServerVersion): number {
  return a.numbers[0] - b.numbers[0] || a.numbers[1] - b.numbers[1];
}
