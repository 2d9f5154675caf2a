/**
 * The supported versions of nats-server and the known faults of each version that affect Latchkey. The table is in
 * `server-versions.json`, because `npm start` also reads it, before any TypeScript runs. A bound in the table is the
 * upstream fix or, if that is unknown, the first version seen without the fault.
 */
import table from './server-versions.json' with { type: 'json' };

/** Major, minor, patch, and whether it is a pre-release (`2.15.0-RC.1`), which sorts before its release. */
export interface ServerVersion {
  numbers: readonly [number, number, number];
  preRelease: boolean;
}

export interface ServerFault {
  id: string;
  /** One sentence: what goes wrong. */
  summary: string;
  /** The advisory or upstream fix, if there is one. */
  reference?: string;
  /** Affected version ranges: `from` is inclusive (default: the first version), `before` exclusive. */
  affected: readonly { from?: string; before: string }[];
}

/** The oldest supported version of each release line, oldest line first. Lines after the last one are supported. */
export const leastSupported: readonly string[] = table.leastSupported;

/** The release line to recommend to operators, for example `2.15`. */
export const recommended: string = table.recommended;

export const faults: readonly ServerFault[] = table.faults;

/**
 * Parses `2.11.16`, `v2.11.16`, `2.15.0-RC.1` or `2.15.0+build`, from a server's INFO (`version`) or its replies
 * (`server.ver`). Returns undefined for anything else.
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

/** Whether a server of this version applies the connection types of a role. True for text that is not a version. */
export function supportsConnectionTypes(version: string): boolean {
  const parsed = parse(version);
  return !parsed || compare(parsed, bound('2.10.0')) >= 0;
}

/** Returns the known faults of a server of this version; empty for text that is not a version. */
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
