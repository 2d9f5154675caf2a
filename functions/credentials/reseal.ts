/**
 * Re-encrypts sealed secrets with the newest sealing key, in batches on each scheduled run. Old keys can be removed
 * from `SEALING_KEYS` once no secret uses them. A secret that cannot be decrypted is logged and does not stop the
 * others.
 */
import { openDatabase } from '../../db/database.ts';
import { countSealedUnder, findSealedUnder, replaceSealed, type SealedKind } from '../../db/region/sealed.ts';
import type { Region, SealingKey } from '../shared/env.ts';
import { open, seal } from '../shared/sealing.ts';

const KINDS: SealedKind[] = ['credential', 'rotation', 'nats_account', 'nats_role'];
const BATCH_SIZE = 100;
/** Maximum batches of each kind per run. */
const MAX_BATCHES = 10;
/** Maximum number of undecryptable secrets whose ids a run logs. */
const MAX_LOGGED = 20;

/** The result of a run. */
export interface ResealResult {
  resealed: number;
  /** Number of secrets that still use an old key. */
  left: number;
  /** Secrets that cannot be decrypted: `credential ID`. */
  failed: string[];
}

/** Re-encrypts one run's share of a region's secrets, and logs how many still use old keys. */
export async function reseal(region: Region, keys: readonly SealingKey[]): Promise<ResealResult> {
  const old = keys.slice(1).map(({ id }) => id);
  const result: ResealResult = { resealed: 0, left: 0, failed: [] };
  if (old.length === 0) return result;
  const regionDb = openDatabase(region.database);
  for (const kind of KINDS) {
    let after = '';
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const rows = await findSealedUnder(regionDb, kind, old, after, BATCH_SIZE);
      const resealed = await Promise.all(
        rows.map(async (row) => {
          // The previous secret of credentials is sealed as theirs was.
          const sealedAs = kind === 'rotation' ? 'credential' : kind;
          const context = { kind: sealedAs, region: region.name, id: row.id } as const;
          try {
            return [{ ...row, sealed: await seal(keys, context, await open(keys, context, row)) }];
          } catch {
            result.failed.push(`${kind} ${row.id}`);
            return [];
          }
        }),
      );
      if (resealed.flat().length > 0) await replaceSealed(regionDb, kind, resealed.flat());
      result.resealed += resealed.flat().length;
      after = rows.at(-1)?.id ?? '';
      if (rows.length < BATCH_SIZE) break;
    }
    result.left += await countSealedUnder(regionDb, kind, old);
  }
  report(region.name, result);
  return result;
}

function report(region: string, { resealed, left, failed }: ResealResult): void {
  if (resealed + left === 0) return;
  const line = { reseal: region, moved: resealed, left, cannot_be_opened: failed.slice(0, MAX_LOGGED) };
  if (failed.length > 0) console.error(JSON.stringify(line));
  else console.info(JSON.stringify(line));
}
