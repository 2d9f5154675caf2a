/**
 * Whether memory grows with use, up to 100,000 requests: what the Worker's isolate holds, and the resident memory of the
 * runtime's process, beside what they were after 1,000. Reads of the API and calls through the gateway by turns. The same of
 * a Worker that only says hello tells how much of the growth is the runtime's, which gives little back.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Stack } from '../stack/stack.ts';
import type { Area, Figure } from './area.ts';
import { newQueueCredentials, signSqs } from './client.ts';
import { bytesOf, load } from './load.ts';
import { startFresh } from './stack.ts';
import { startAlone } from './worker.ts';

const REGION = 'fr-par';
const CONNECTIONS = 16;
/** How long requests are sent before memory is looked at: the heap is seen well after a collection, then, by and by. */
const SLICE_MS = 400;
const FIRST = 1000;
/** After how many more it is told: growth that levels off shows in these. */
const MARKS = [10_000, 50_000, 100_000];
const AIM = 'no growth';

/** What a process holds, in megabytes. */
interface Held {
  resident: number;
  /** The least that the heap came down to since it was last told: what is alive, and little else. */
  heap: number;
}

/** See this file's head. */
export const memory: Area = {
  name: 'memory',
  async measure({ state }) {
    const stack = await startFresh(join(state, 'memory'), { inspect: true });
    const hello = await startAlone('hello');
    try {
      const ours = await ofStack(stack);
      const bare = await held(hello.pid, await requestsTo(hello.origin), async () => Number.NaN);
      return [
        ...figuresOf('live heap of the Worker', ours, 'heap', AIM),
        ...figuresOf('resident memory of its runtime', ours, 'resident', AIM),
        ...figuresOf('resident memory of a runtime that says hello', bare, 'resident').slice(-1),
      ];
    } finally {
      await Promise.all([hello.stop(), stack.stop()]);
    }
  },
};

/** Sends requests by turns for a slice of time; resolves to how many were answered. */
type Send = () => Promise<number>;

async function requestsTo(origin: string): Promise<Send> {
  const hello = await bytesOf(new Request(origin));
  return () => send(origin, hello);
}

async function ofStack(stack: Stack): Promise<Map<number, Held>> {
  const credentials = await newQueueCredentials(stack, REGION);
  const headers = { 'X-Auth-Token': stack.owner?.secret_key ?? '' };
  const list = await bytesOf(
    new Request(`${stack.origin}/mnq/v1beta1/regions/${REGION}/sqs-credentials`, { headers }),
  );
  const pid = stack.pids().worker;
  if (pid === undefined) throw new Error('The Worker has no process');
  const inspector = await inspectorOf(stack);
  let turn = 0;
  const byTurns = async () => {
    if (turn++ % 2 === 0) return send(stack.origin, list);
    return send(
      stack.origin,
      await bytesOf(await signSqs(stack.origin, REGION, credentials, 'ListQueues', {})),
    );
  };
  return held(pid, byTurns, () => heapMegabytes(inspector));
}

async function send(origin: string, request: Buffer): Promise<number> {
  const { perSecond, seconds } = await load(origin, request, CONNECTIONS, SLICE_MS);
  return Math.round(perSecond * seconds);
}

/** What is held after the first requests and at each mark. */
async function held(pid: number, send: Send, heap: () => Promise<number>): Promise<Map<number, Held>> {
  const found = new Map<number, Held>();
  let done = 0;
  for (const mark of [FIRST, ...MARKS]) {
    let least = Number.POSITIVE_INFINITY;
    while (done < mark) {
      done += await send();
      least = Math.min(least, await heap());
    }
    found.set(mark, { resident: residentMegabytes(pid), heap: least });
  }
  return found;
}

function figuresOf(what: string, found: ReadonlyMap<number, Held>, key: keyof Held, aim?: string): Figure[] {
  const at = (mark: number) => [found.get(mark)?.[key] ?? Number.NaN];
  const count = (mark: number) => mark.toLocaleString('en');
  return MARKS.map((mark) => ({
    measure: `${what}, ${count(mark)} requests`,
    unit: 'MB',
    values: at(mark),
    baseline: { of: `${count(FIRST)} requests`, values: at(FIRST) },
    aim,
  }));
}

function residentMegabytes(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1000;
}

/** The address of the inspector of the Worker's own isolate: the runtime has others, for databases and assets. */
async function inspectorOf(stack: Stack): Promise<string> {
  const { host } = await stack.inspector();
  const isolates = (await (await fetch(`http://${host}/json`)).json()) as { id: string }[];
  const own = isolates.find(({ id }) => id.startsWith('core:user:'));
  if (!own) throw new Error(`No isolate is the Worker's: ${isolates.map(({ id }) => id)}`);
  return `ws://${host}/${own.id}`;
}

/** What the heap of an isolate holds now, what is dead but not collected included (Chrome DevTools Protocol, Runtime). */
function heapMegabytes(inspector: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(inspector);
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.getHeapUsage' }));
    socket.onerror = () => reject(new Error('The inspector cannot be reached'));
    socket.onmessage = ({ data }) => {
      const { result } = JSON.parse(String(data)) as { result: { usedSize: number } };
      socket.close();
      resolve(result.usedSize / 1e6);
    };
  });
}
