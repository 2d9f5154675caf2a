/** Defines the authorized request that operations receive. */
import type { Database } from '../../db/database.ts';
import type { Watch } from '../guard/guards.ts';
import type { NameContext } from './names.ts';
import type { Fields } from './shapes.ts';

/** Asks the guard of a request's credentials while the request runs. */
export interface Permission {
  /** Whether the guard could be reached when the request was authorized. */
  guarded: boolean;
  /**
   * Resolves to whether the credentials have permitted the action since the request was authorized, without an
   * interruption. Rejects with the protocol's denial if they do not permit it now, and with `GuardUnavailable` if the
   * guard cannot be reached.
   */
  check: () => Promise<boolean>;
  /** Returns when the credentials expire, as of the last check: milliseconds since the epoch, or null for never. */
  expiresAt: () => number | null;
  /** Watches for changes of the credentials. */
  watch: () => Promise<Watch>;
}

/**
 * An authorized request for an action. The fields use the client's names and are already checked against their shapes.
 */
export interface Call {
  context: NameContext;
  regionDb: Database;
  fields: Fields;
  /** When the request was authorized, in milliseconds since the epoch. */
  now: number;
  /** Aborts requests to the engine when the client disconnects. Undefined for actions that run to completion. */
  signal: AbortSignal | undefined;
  /**
   * Sends the request to the engine, with the extra fields `more` in the engine's names. Resolves to the response in
   * the client's names.
   */
  forward: (more?: Fields) => Promise<Fields>;
  /** The guard of the credentials, for a receive. */
  permission: Permission;
  /** Keeps the work running after the response. */
  waitUntil: (work: Promise<unknown>) => void;
}
