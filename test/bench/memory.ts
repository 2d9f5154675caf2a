/**
 * Whether memory grows with use, up to 100,000 requests: what is alive in the Worker's isolate, and the resident memory of the
 * runtime's process, beside what they were after 1,000. Reads of the API and calls through the gateway, half and half. Two
 * Workers in the same place take turns with it, and tell how much of the growth is the runtime's, which gives little back:
 * one that only says hello, and one that only reads a row of D1.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Stack } from '../stack/stack.ts';
import type { Area, Figure } from './area.ts';
import { newQueueCredentials, signSqs } from './client.ts';
import { bytesOf, load } from './load.ts';
import { startFresh } from './stack.ts';
import { type BenchWorker, startInPlace } from './worker.ts';

const REGION = 'fr-par';
const CONNECTIONS = 16;
/** How long requests are sent to one before it is the next one's turn. */
const SLICE_MS = 1000;
const FIRST = 1000;
/** After how many more it is told: growth that levels off shows in these. */
const MARKS = [10_000, 50_000, 100_000];
const AIM = 'no growth';

/** A Worker whose memory is looked at. */
interface Subject {
  pid: number;
  /** The inspector of its isolate. */
  inspector: string;
  /** What answers at once. */
  url: string;
  /** Sends requests for a slice of time; resolves to how many were answered. */
  send(): Promise<number>;
}

/** What is held, in megabytes. */
interface Held {
  /** By the process. */
  resident: number;
  /** By the heap of the isolate, right after a collection. */
  heap: number;
}

/** What is held after so many requests. */
type Course = ReadonlyMap<number, Held>;

/** See this file's head. */
export const memory: Area = {
  name: 'memory',
  async measure({ state }) {
    const folder = join(state, 'memory');
    const stack = await startFresh(folder, { inspect: true });
    const inPlace = (name: string) => startInPlace(name, folder, {}, () => {}, true);
    const [hello, reader] = [await inPlace('hello'), await inPlace('round-trips')];
    try {
      const [ours, ofHello, ofReader] = await byTurns([
        await subjectOfStack(stack),
        await subjectOf(hello, '/'),
        await subjectOf(reader, '/mnq/verify'),
      ]);
      return [
        ...figuresOf('live heap of the Worker', ours, 'heap', AIM),
        ...figuresOf('resident memory of its runtime', ours, 'resident', AIM),
        ...figuresOf('resident memory where a Worker says hello', ofHello, 'resident'),
        ...figuresOf('resident memory where a Worker reads a row', ofReader, 'resident'),
      ];
    } finally {
      await Promise.all([hello.stop(), reader.stop(), stack.stop()]);
    }
  },
};

async function subjectOf(worker: BenchWorker, path: string): Promise<Subject> {
  const url = worker.origin + path;
  const request = await bytesOf(new Request(url));
  return {
    pid: worker.pid,
    url,
    inspector: await isolateOf(await worker.inspector()),
    send: () => send(worker.origin, request),
  };
}

async function subjectOfStack(stack: Stack): Promise<Subject> {
  const { origin } = stack;
  const credentials = await newQueueCredentials(stack, REGION);
  const headers = { 'X-Auth-Token': stack.owner?.secret_key ?? '' };
  const list = await bytesOf(
    new Request(`${origin}/mnq/v1beta1/regions/${REGION}/sqs-credentials`, { headers }),
  );
  const pid = stack.pids().worker;
  if (pid === undefined) throw new Error('The Worker has no process');
  let turn = 0;
  return {
    pid,
    url: `${origin}/healthz`,
    inspector: await isolateOf(await stack.inspector()),
    // Signed anew each time: a signature is good for a quarter of an hour only.
    send: async () =>
      turn++ % 2 === 0
        ? send(origin, list)
        : send(origin, await bytesOf(await signSqs(origin, REGION, credentials, 'ListQueues', {}))),
  };
}

async function send(origin: string, request: Buffer): Promise<number> {
  const { latencies } = await load(origin, request, CONNECTIONS, SLICE_MS);
  return latencies.length;
}

/** What each of them holds after the first requests and at each mark. */
async function byTurns<Subjects extends Subject[]>(
  subjects: readonly [...Subjects],
): Promise<{ [At in keyof Subjects]: Course }> {
  const courses = subjects.map((subject) => ({ subject, done: 0, course: new Map<number, Held>() }));
  for (const mark of [FIRST, ...MARKS]) {
    while (courses.some(({ done }) => done < mark)) {
      for (const each of courses) if (each.done < mark) each.done += await each.subject.send();
    }
    for (const { subject, course } of courses) course.set(mark, await heldBy(subject));
  }
  return courses.map(({ course }) => course) as { [At in keyof Subjects]: Course };
}

async function heldBy(subject: Subject): Promise<Held> {
  return { heap: await liveMegabytes(subject), resident: residentMegabytes(subject.pid) };
}

function figuresOf(what: string, found: Course, key: keyof Held, aim?: string): Figure[] {
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

/** The address of the inspector of a Worker's own isolate: the runtime has others, for databases and assets. */
async function isolateOf({ host }: URL): Promise<string> {
  const isolates = (await (await fetch(`http://${host}/json`)).json()) as { id: string }[];
  const own = isolates.find(({ id }) => id.startsWith('core:user:'));
  if (!own) throw new Error(`No isolate is the Worker's: ${isolates.map(({ id }) => id)}`);
  return `ws://${host}/${own.id}`;
}

/** What is alive in the heap of an isolate, by the Chrome DevTools Protocol (HeapProfiler, Runtime). */
async function liveMegabytes({ inspector, url }: Subject): Promise<number> {
  const socket = new WebSocket(inspector);
  await once(socket, 'open');
  socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }));
  const collected = once(socket, 'message');
  // The isolate collects when it runs next.
  await (await fetch(url)).arrayBuffer();
  await collected;
  socket.send(JSON.stringify({ id: 2, method: 'Runtime.getHeapUsage' }));
  const { data } = (await once(socket, 'message')) as MessageEvent;
  socket.close();
  const { result } = JSON.parse(String(data)) as { result: { usedSize: number } };
  return result.usedSize / 1e6;
}

function once(socket: WebSocket, event: 'open' | 'message'): Promise<Event> {
  return new Promise((resolve, reject) => {
    socket.addEventListener(event, resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('The inspector cannot be reached')), {
      once: true,
    });
  });
}
