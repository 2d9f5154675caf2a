/**
 * The cost of verifying a signature inside the runtime, compared with the hashes that it requires: two SHA-256 and
 * one HMAC of the same bytes, and four more HMACs when the signing key is derived first. (The gateway caches derived
 * keys, so it derives one per credential and day.) A second baseline adds the runtime's cost of returning headers and
 * of converting text to bytes and hashes to hex, none of it our code.
 */
import type { Area, Figure } from './area.ts';
import { timeLoops } from './time-loops.ts';
import { startAlone } from './worker.ts';

/**
 * Body sizes in bytes, with the number of verifications timed together: long enough to hide the cost of the request.
 */
const BODIES = [
  { bytes: 256, times: 1500 },
  { bytes: 256 * 1024, times: 100 },
];

/** Measures verification. */
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
