/** What a set of NATS creds costs inside the runtime, beside the one signature that it cannot do without. */
import type { Area } from './area.ts';
import { timeLoops } from './time-loops.ts';
import { startAlone } from './worker.ts';

const TIMES = 200;

/** See this file's head. */
export const creds: Area = {
  name: 'creds',
  async measure({ rounds }) {
    const worker = await startAlone('creds');
    try {
      const measured = await timeLoops(worker, { rounds, times: TIMES }, ['issue', 'make', 'sign']);
      const baseline = { of: 'Ed25519 signature', values: measured.sign };
      return [
        { measure: 'a key, its JWT and file', unit: 'µs', values: measured.make, baseline, aim: '≤ 3' },
        {
          measure: 'the same, the account’s seed opened first',
          unit: 'µs',
          values: measured.issue,
          baseline,
        },
      ];
    } finally {
      await worker.stop();
    }
  },
};
