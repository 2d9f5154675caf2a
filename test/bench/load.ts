/**
 * A load generator on bare sockets: so many connections, each sending the same bytes again as soon as it is answered.
 * Knows just enough HTTP/1.1 for that (RFC 9112: keep-alive, answers with a Content-Length, or 204), because a real client takes
 * as much of a small machine as the server that is to be measured.
 */
import { connect, type Socket } from 'node:net';
import type { Latency } from './area.ts';
import { percentile } from './rounds.ts';

/** What a load came to. */
export interface Load extends Timing {
  /** Answers in a second. */
  perSecond: number;
}

/** How long a load went on, and how long each of its answers took, in milliseconds. */
export interface Timing {
  seconds: number;
  latencies: readonly number[];
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** The bytes of a request, with whatever headers it has been signed with. */
export async function bytesOf(request: Request): Promise<Buffer> {
  const { host, pathname, search } = new URL(request.url);
  const body = Buffer.from(await request.arrayBuffer());
  const headers = [...request.headers, ['host', host], ['content-length', String(body.length)]];
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([
    Buffer.from(`${request.method} ${pathname}${search} HTTP/1.1\r\n${lines}\r\n`),
    body,
  ]);
}

/** Sends `request` to the origin for so many milliseconds. Rejects on any answer that is no success. */
export async function load(
  origin: string,
  request: Buffer,
  connections: number,
  milliseconds: number,
): Promise<Load> {
  const end = performance.now() + milliseconds;
  return loadOf([
    await keepSending(origin, connections, () => (performance.now() < end ? request : undefined)),
  ]);
}

/** Sends each of the requests once, and returns the bodies of the answers too. Rejects on one of another status. */
export async function loadEach(
  origin: string,
  requests: readonly Buffer[],
  connections: number,
  status?: number,
): Promise<Timing & { bodies: string[] }> {
  const bodies: string[] = [];
  let sent = 0;
  const timing = await keepSending(
    origin,
    Math.min(connections, requests.length),
    () => requests[sent++],
    (body) => bodies.push(body),
    status,
  );
  return { ...timing, bodies };
}

/** What several loads of one kind came to, as if they had been one. */
export function loadOf(timings: readonly Timing[]): Load {
  const latencies = timings.flatMap((timing) => timing.latencies);
  const seconds = timings.reduce((sum, timing) => sum + timing.seconds, 0);
  return { seconds, latencies, perSecond: latencies.length / seconds };
}

/** How long the answers of loads took, a load for each round. */
export function latencyOf(rounds: readonly Load[]): Latency {
  return {
    p50: rounds.map(({ latencies }) => percentile(latencies, 50)),
    p99: [
      percentile(
        rounds.flatMap(({ latencies }) => latencies),
        99,
      ),
    ],
  };
}

async function keepSending(
  origin: string,
  connections: number,
  next: () => Buffer | undefined,
  onAnswer: (body: string) => void = () => {},
  status?: number,
): Promise<Timing> {
  const latencies: number[] = [];
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(origin)));
  const start = performance.now();
  const answered = (milliseconds: number, body: string) => {
    latencies.push(milliseconds);
    onAnswer(body);
  };
  await Promise.all(sockets.map((socket) => keepBusy(socket, next, answered, status)));
  return { seconds: (performance.now() - start) / 1000, latencies };
}

function open(origin: string): Promise<Socket> {
  const { port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function keepBusy(
  socket: Socket,
  next: () => Buffer | undefined,
  answered: (milliseconds: number, body: string) => void,
  status: number | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    let sentAt = 0;
    const send = () => {
      const request = next();
      sentAt = performance.now();
      if (request) socket.write(request);
      else socket.destroy();
    };
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const answer = extentOf(received, status);
      if (answer instanceof Error) return socket.destroy(answer);
      if (answer === undefined || received.length < answer.end) return;
      answered(performance.now() - sentAt, received.toString('utf8', answer.body, answer.end));
      received = received.subarray(answer.end);
      send();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve());
    send();
  });
}

/** Where the body of an answer begins and ends; undefined until the head is there. */
function extentOf(received: Buffer, wanted?: number): { body: number; end: number } | Error | undefined {
  const at = received.indexOf(HEAD_END);
  if (at < 0) return undefined;
  const head = received.toString('latin1', 0, at);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  const length = status === 204 ? '0' : /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const good = wanted === undefined ? status >= 200 && status < 300 : status === wanted;
  if (!good || length === undefined)
    return new Error(`A load was answered with: ${received.toString().slice(0, 1000)}`);
  const body = at + HEAD_END.length;
  return { body, end: body + Number(length) };
}
