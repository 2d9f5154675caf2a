/**
 * A load generator on bare sockets: so many connections, each sending the same bytes again as soon as it is answered.
 * Knows just enough HTTP/1.1 for that (RFC 9112: keep-alive, answers with a Content-Length), because a real client takes
 * as much of a small machine as the server that is to be measured.
 */
import { connect, type Socket } from 'node:net';
import { percentile } from './rounds.ts';

/** What a load came to. */
export interface Load {
  /** How long it went on. */
  seconds: number;
  /** Answers in a second. */
  perSecond: number;
  /** How long they took, in milliseconds. */
  p50: number;
  p99: number;
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

/** Sends `request` to the origin for so many milliseconds. Rejects on any answer but 200. */
export async function load(
  origin: string,
  request: Buffer,
  connections: number,
  milliseconds: number,
): Promise<Load> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + milliseconds;
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(origin)));
  await Promise.all(sockets.map((socket) => keepBusy(socket, request, end, latencies)));
  const seconds = (performance.now() - start) / 1000;
  return {
    seconds,
    perSecond: latencies.length / seconds,
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
  };
}

function open(origin: string): Promise<Socket> {
  const { port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function keepBusy(socket: Socket, request: Buffer, end: number, latencies: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    let sentAt = performance.now();
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const length = answerLength(received);
      if (length instanceof Error) return socket.destroy(length);
      if (length === undefined || received.length < length) return;
      const now = performance.now();
      latencies.push(now - sentAt);
      received = received.subarray(length);
      if (now >= end) return socket.destroy();
      sentAt = now;
      socket.write(request);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.write(request);
  });
}

/** How many bytes an answer has, its head included; undefined until the head is there. */
function answerLength(received: Buffer): number | Error | undefined {
  const at = received.indexOf(HEAD_END);
  if (at < 0) return undefined;
  const head = received.toString('latin1', 0, at);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (!head.startsWith('HTTP/1.1 200') || length === undefined)
    return new Error(`A load was answered with: ${head}`);
  return at + HEAD_END.length + Number(length);
}
