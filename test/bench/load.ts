/**
 * A load generator on plain sockets: each connection sends the same bytes again after each response. It implements
 * just enough of HTTP/1.1 (RFC 9112: keep-alive, responses with a Content-Length or 204), because a full client would
 * use as much of a small machine as the measured server.
 */
import { connect, type Socket } from 'node:net';
import type { Latency } from './area.ts';
import { percentile } from './rounds.ts';

/** The result of a load. */
export interface Load extends Timing {
  /** Responses per second. */
  perSecond: number;
}

/** The duration of a load, and the latency of each response, in milliseconds. */
export interface Timing {
  seconds: number;
  latencies: readonly number[];
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Returns the bytes of a request, with its signed headers. */
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

/**
 * Sends a request to the origin repeatedly for `milliseconds`, or several in turn. Rejects on an unsuccessful response.
 */
export async function load(
  origin: string,
  requests: Buffer | readonly Buffer[],
  connections: number,
  milliseconds: number,
): Promise<Load> {
  const inTurn = [requests].flat();
  const end = performance.now() + milliseconds;
  let sent = 0;
  const next = () => (performance.now() < end ? inTurn[sent++ % inTurn.length] : undefined);
  return loadOf([await keepSending(origin, connections, next)]);
}

/** Sends each request once and returns the response bodies. Rejects on any other status. */
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

/** Combines the results of several loads of one kind. */
export function loadOf(timings: readonly Timing[]): Load {
  const latencies = timings.flatMap((timing) => timing.latencies);
  const seconds = timings.reduce((sum, timing) => sum + timing.seconds, 0);
  return { seconds, latencies, perSecond: latencies.length / seconds };
}

/** Returns the latencies of several loads, one for each round. */
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
      const response = extentOf(received, status);
      if (response instanceof Error) return socket.destroy(response);
      if (response === undefined || received.length < response.end) return;
      answered(performance.now() - sentAt, received.toString('utf8', response.body, response.end));
      received = received.subarray(response.end);
      send();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve());
    send();
  });
}

/** Returns where a response's body begins and ends; undefined until the headers have arrived. */
function extentOf(received: Buffer, wanted?: number): { body: number; end: number } | Error | undefined {
  const at = received.indexOf(HEAD_END);
  if (at < 0) return undefined;
  const head = received.toString('latin1', 0, at);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  const length = status === 204 ? '0' : /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const good = wanted === undefined ? status >= 200 && status < 300 : status === wanted;
  if (!good || length === undefined)
    return new Error(`A load got the response: ${received.toString().slice(0, 1000)}`);
  const body = at + HEAD_END.length;
  return { body, end: body + Number(length) };
}
