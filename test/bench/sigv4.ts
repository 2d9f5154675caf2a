/**
 * The cost of verifying a signature inside the runtime, compared with the hashes that it requires: two SHA-256 and
 * one HMAC of the same bytes, and four more HMACs when the signing key is derived first. (The gateway caches derived
 * keys, so it derives one per credential and day.) A second baseline adds the runtime's cost of returning headers and
 * of converting text to bytes and hashes to hex, none of it our code. The same hashes by the synchronous node:crypto
 * show that it would not be faster.
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

const HANDED_OVER = 'hashes, with headers and texts handed over';

/** Measures verification. */
export const sigv4: Area = {
  name: 'sigv4',
  async measure({ rounds }) {
    const worker = await startAlone('sigv4');
    try {
      const figures: Figure[] = [];
      for (const { bytes, times } of BODIES) {
        const names = [
          'verify kept',
          'handed over',
          'bare kept',
          'synchronous',
          'verify derived',
          'bare derived',
        ] as const;
        const measured = await timeLoops(worker, { rounds, times, query: { bytes: String(bytes) } }, names);
        const bare = { of: 'bare hashes', values: measured['bare kept'] };
        figures.push(
          {
            measure: `verification, ${bytes} B body, key kept`,
            unit: 'µs',
            values: measured['verify kept'],
            baseline: { of: HANDED_OVER, values: measured['handed over'] },
          },
          {
            measure: `${HANDED_OVER}, ${bytes} B body`,
            unit: 'µs',
            values: measured['handed over'],
            baseline: bare,
          },
          {
            measure: `hashes by node:crypto, ${bytes} B body`,
            unit: 'µs',
            values: measured.synchronous,
            baseline: bare,
          },
        );
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
