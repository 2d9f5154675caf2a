/** An authorised request, as the operations see it. */
import type { Database } from '../../db/database.ts';
import type { Place } from './names.ts';
import type { Fields } from './shapes.ts';

/** An authorised request for an action, its fields as the client has them, already checked against their shapes. */
export interface Call {
  place: Place;
  store: Database;
  fields: Fields;
  /** When the request was authorised, milliseconds since the epoch. */
  now: number;
  /** Ends what is sent to the engine: the client has gone. Undefined where that makes no difference. */
  signal: AbortSignal | undefined;
  /** Sends the request to the engine, with `more` in its names; resolves to its answer as the client may see it. */
  forward: (more?: Fields) => Promise<Fields>;
  /** Reads the credentials again; rejects with the protocol's denial when they may no longer do this. */
  recheck: () => Promise<void>;
}
