/** The cost of creating NATS creds inside the runtime, compared with the one signature that it requires. */
import type { Area } from './area.ts';
import { timeLoops } from './time-loops.ts';
import { startAlone } from './worker.ts';

const TIMES = 200;

/** Measures the creation of creds. */
export const creds: Area = {
  name: 'creds',
  async measure({ rounds }) {
    const worker = await startAlone('creds');
    try {
      const names = ['issue', 'issue first', 'bare first', 'sign'] as const;
      const measured = await timeLoops(worker, { rounds, times: TIMES }, names);
      const baseline = { of: 'Ed25519 signature', values: measured.sign };
      return [
        { measure: 'creds of an account', unit: 'µs', values: measured.issue, baseline, aim: '≤ 3' },
        {
          measure: 'the first of an account, its seed opened',
          unit: 'µs',
          values: measured['issue first'],
          baseline,
          aim: '≤ 3',
        },
        {
          measure: 'the WebCrypto calls for the first of an account',
          unit: 'µs',
          values: measured['bare first'],
          baseline,
        },
      ];
    } finally {
      await worker.stop();
    }
  },
};
