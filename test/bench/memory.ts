/**
 * Whether memory grows with use, up to 100,000 requests: the live heap of the Worker's isolate, and the resident
 * memory of the runtime's process, compared with 1,000 requests. Half are reads of the API, half calls through the
 * gateway. Two other Workers in the same setup alternate with it and show how much of the growth is the runtime's,
 * which returns little memory: one that only says hello, and one that only reads a row of D1.
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
/** How long one subject gets requests before the next one's turn. */
const SLICE_MS = 1000;
const FIRST = 1000;
/** Request counts at which memory is measured: growth that levels off shows here. */
const MARKS = [10_000, 50_000, 100_000];
const AIM = 'no growth';

/** A Worker whose memory is measured. */
interface Subject {
  pid: number;
  /** The inspector of its isolate. */
  inspector: string;
  /** Responds immediately. */
  url: string;
  /** Sends requests for one time slice. Resolves to the number of responses. */
  send(): Promise<number>;
}

/** Memory in megabytes. */
interface Held {
  /** Resident memory of the process. */
  resident: number;
  /** The isolate's heap, right after a garbage collection. */
  heap: number;
}

/** Memory after this number of requests. */
type Course = ReadonlyMap<number, Held>;

/** Measures memory. */
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
    // Signed again each time: a signature is valid for a quarter of an hour only.
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

/** Returns the memory of each subject after the first requests and at each mark. */
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

/** Returns the inspector URL of the Worker's own isolate; the runtime has others for databases and assets. */
async function isolateOf({ host }: URL): Promise<string> {
  const isolates = (await (await fetch(`http://${host}/json`)).json()) as { id: string }[];
  const own = isolates.find(({ id }) => id.startsWith('core:user:'));
  if (!own) throw new Error(`No isolate belongs to the Worker: ${isolates.map(({ id }) => id)}`);
  return `ws://${host}/${own.id}`;
}

/** Returns the live heap of an isolate, through the Chrome DevTools Protocol (HeapProfiler, Runtime). */
async function liveMegabytes({ inspector, url }: Subject): Promise<number> {
  const socket = new WebSocket(inspector);
  await once(socket, 'open');
  socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }));
  const collected = once(socket, 'message');
  // The isolate collects garbage when it next runs.
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
    socket.addEventListener('error', () => reject(new Error('Could not connect to the inspector')), {
      once: true,
    });
  });
}
