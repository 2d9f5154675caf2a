/** Defines the authorized request that operations receive. */
import type { Database } from '../../db/database.ts';
import type { NameContext } from './names.ts';
import type { Fields } from './shapes.ts';

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
  /** Reads the credentials again. Rejects with the protocol's denial if they no longer permit the action. */
  recheck: () => Promise<void>;
}
