/**
 * Moves sealed secrets under the newest sealing key, a portion at each run of the schedule, so that old keys can be
 * retired: when a run reports nothing left, the old key can be removed from `SEALING_KEYS`.
 */
import { openDatabase } from '../../db/database.ts';
import { findSealedUnder, replaceSealed, type SealedKind } from '../../db/region/sealed.ts';
import type { Region, SealingKey } from '../env.ts';
import { open, seal } from './secrets.ts';

const PORTION = 200;
const KINDS: SealedKind[] = ['credential', 'nats_account'];

/** Re-seals a portion of a region's secrets. Returns how many; fewer than a portion means that none is left. */
export async function reseal(region: Region, keys: readonly SealingKey[]): Promise<number> {
  const old = keys.slice(1).map(({ id }) => id);
  if (old.length === 0) return 0;
  const store = openDatabase(region.database);
  let done = 0;
  for (const kind of KINDS) {
    const rows = await findSealedUnder(store, kind, old, PORTION);
    for (const row of rows) {
      const context = { kind, region: region.name, id: row.id };
      await replaceSealed(store, kind, row, await seal(keys, context, await open(keys, context, row)));
    }
    done += rows.length;
  }
  return done;
}
