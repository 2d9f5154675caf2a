/**
 * An engine that answers whatever a test wants, and remembers what it was sent. For what a good engine never does, and
 * for what fauxqs does not check.
 */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that the engine got. */
export interface Sent {
  headers: IncomingHttpHeaders;
  body: string;
  /** Whether the client ended it before it was answered. */
  ended: boolean;
}

/** What the engine answers; undefined for never. */
export type Reply = { status: number; headers?: Record<string, string>; body: string } | undefined;

/** The engine. */
export interface FakeEngine {
  url: string;
  /** What it was sent since it was last emptied. */
  sent: Sent[];
  /** What it answers from now on. */
  reply: (request: Sent) => Reply | Promise<Reply>;
  stop(): Promise<void>;
}

/** Starts an engine on a free port of 127.0.0.1. */
export async function startFakeEngine(): Promise<FakeEngine> {
  const engine = { sent: [] as Sent[], reply: () => ({ status: 200, body: '{}' }) } as unknown as FakeEngine;
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const sent = { headers: request.headers, body: Buffer.concat(chunks).toString(), ended: false };
    engine.sent.push(sent);
    response.on('close', () => {
      sent.ended = !response.writableFinished;
    });
    const reply = await engine.reply(sent);
    if (reply) response.writeHead(reply.status, reply.headers).end(reply.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  engine.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  engine.stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return engine;
}
