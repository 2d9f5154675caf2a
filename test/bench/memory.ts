/**
 * Whether the Worker's memory grows with use: the resident memory of the local stack's runtime process after 100,000
 * requests, beside what it was after 1,000. Reads of the API and sends through the gateway by turns.
 */
import { execFileSync } from 'node:child_process';
import type { Area, Figure } from './area.ts';
import { newQueueCredentials, signSqs } from './client.ts';
import { bytesOf, load } from './load.ts';

const REGION = 'fr-par';
const CONNECTIONS = 16;
const SLICE_MS = 1000;
const FIRST = 1000;
/** After how many more it is read again: growth that levels off shows in these. */
const MARKS = [25_000, 50_000, 75_000, 100_000];

/** See this file's head. */
export const memory: Area = {
  name: 'memory',
  async measure({ stack: start }) {
    const stack = await start();
    const credentials = await newQueueCredentials(stack, REGION);
    const headers = { 'X-Auth-Token': stack.owner?.secret_key ?? '' };
    const list = new Request(`${stack.origin}/mnq/v1beta1/regions/${REGION}/sqs-credentials`, { headers });
    const reads = await bytesOf(list);
    const pid = stack.pids().worker;
    if (pid === undefined) throw new Error('The Worker has no process');
    let done = 0;
    const until = async (requests: number) => {
      while (done < requests) {
        const signed = await signSqs(stack.origin, REGION, credentials, 'ListQueues', {});
        for (const request of [reads, await bytesOf(signed)]) {
          const { perSecond, seconds } = await load(stack.origin, request, CONNECTIONS, SLICE_MS);
          done += Math.round(perSecond * seconds);
        }
      }
      return residentMegabytes(pid);
    };
    const first = await until(FIRST);
    const figures: Figure[] = [];
    for (const mark of MARKS) {
      figures.push({
        measure: `resident memory after ${mark.toLocaleString('en')} requests`,
        unit: 'MB',
        values: [await until(mark)],
        baseline: { of: `after ${FIRST.toLocaleString('en')}`, values: [first] },
        aim: 'no growth',
      });
    }
    return figures;
  },
};

function residentMegabytes(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1000;
}
