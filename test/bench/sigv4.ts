/**
 * What verifying a signature costs inside the runtime, beside the hashes that it cannot do without: two SHA-256 and one
 * HMAC of the same bytes, and four HMACs more when the signing key is derived first. (The gateway keeps derived keys, so
 * that it derives once for each credential and day.) A second baseline has also what the runtime takes to hand over headers
 * and to turn texts into bytes and hashes into hex, none of it by code of ours.
 */
import type { Area, Figure } from './area.ts';
import { timeLoops } from './time-loops.ts';
import { startAlone } from './worker.ts';

/** Bytes of a body, and how many verifications are timed together: long beside the one request that asks for them. */
const BODIES = [
  { bytes: 256, times: 1500 },
  { bytes: 256 * 1024, times: 100 },
];

/** See this file's head. */
export const sigv4: Area = {
  name: 'sigv4',
  async measure({ rounds }) {
    const worker = await startAlone('sigv4');
    try {
      const figures: Figure[] = [];
      for (const { bytes, times } of BODIES) {
        const names = ['verify kept', 'handed over', 'bare kept', 'verify derived', 'bare derived'] as const;
        const measured = await timeLoops(worker, { rounds, times, query: { bytes: String(bytes) } }, names);
        figures.push({
          measure: `verification, ${bytes} B body, key kept`,
          unit: 'µs',
          values: measured['verify kept'],
          baseline: { of: 'hashes, with headers and texts handed over', values: measured['handed over'] },
        });
        for (const key of ['kept', 'derived'] as const) {
          figures.push({
            measure: `verification, ${bytes} B body, key ${key}`,
            unit: 'µs',
            values: measured[`verify ${key}`],
            baseline: { of: 'bare hashes', values: measured[`bare ${key}`] },
            aim: '≤ 2',
          });
        }
      }
      return figures;
    } finally {
      await worker.stop();
    }
  },
};
