/**
 * What verifying a signature costs inside the runtime, beside the hashes that it cannot do without: two SHA-256 and one
 * HMAC of the same bytes, and four HMACs more when the signing key is derived first. (The gateway keeps derived keys, so
 * that it derives once for each credential and day.)
 */
import type { Area, Figure } from './area.ts';
import { interleave } from './rounds.ts';
import { startAlone } from './worker.ts';

/** Bytes of a body, and how many verifications are timed together: long beside the one request that asks for them. */
const BODIES = [
  { bytes: 256, times: 1500 },
  { bytes: 256 * 1024, times: 100 },
];

/** Short ones and many, since they are so small that whatever else the machine does shows. */
const SLICES = 5;

/** See this file's head. */
export const sigv4: Area = {
  name: 'sigv4',
  async measure({ rounds }) {
    const worker = await startAlone('sigv4');
    try {
      const figures: Figure[] = [];
      for (const { bytes, times } of BODIES) {
        const microseconds = async (of: string) => {
          const query = new URLSearchParams({ of, bytes: String(bytes), times: String(times) });
          const start = performance.now();
          const answer = await (await fetch(`${worker.origin}/?${query}`)).text();
          if (answer !== String(times)) throw new Error(answer);
          return ((performance.now() - start) * 1000) / times;
        };
        const measured = await interleave(SLICES * rounds, {
          'verify kept': () => microseconds('verify kept'),
          'bare kept': () => microseconds('bare kept'),
          'verify derived': () => microseconds('verify derived'),
          'bare derived': () => microseconds('bare derived'),
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
