/**
 * An engine whose responses a test chooses, and which records its requests. For responses that no real engine sends,
 * and for checks that fauxqs lacks.
 */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that the engine received. */
export interface Sent {
  headers: IncomingHttpHeaders;
  body: string;
  /** Whether the client closed the connection before the response. */
  ended: boolean;
}

/** The engine's response; undefined for none. */
export type Reply = { status: number; headers?: Record<string, string>; body: string } | undefined;

/** A running engine. */
export interface FakeEngine {
  url: string;
  /** The requests since the list was last emptied. */
  sent: Sent[];
  /** Returns the next responses. */
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
