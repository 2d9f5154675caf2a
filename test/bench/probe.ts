/** Measures the response times of an address from a thread, which the work of the benchmark's clients does not delay. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const INTERVAL = 20;

/** Requests an address repeatedly. */
export interface Probe {
  /** Ends the requests. Resolves to the longest time to a response, in milliseconds. */
  stop(): Promise<number>;
}

/** Starts to request an address. */
export function startProbe(url: string): Probe {
  const worker = new Worker(new URL(import.meta.url), { workerData: url });
  return {
    stop: () =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
        worker.postMessage('stop');
      }),
  };
}

async function run(url: string): Promise<void> {
  let slowest = 0;
  let stopped = false;
  parentPort?.once('message', () => {
    stopped = true;
  });
  while (!stopped) {
    const start = performance.now();
    await (await fetch(url)).text();
    slowest = Math.max(slowest, performance.now() - start);
    await sleep(INTERVAL);
  }
  parentPort?.postMessage(slowest);
}

if (!isMainThread && typeof workerData === 'string') await run(workerData);
