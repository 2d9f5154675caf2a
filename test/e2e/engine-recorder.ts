/**
 * Stands between the gateway and a real engine, passes everything on as it is, and notes which actions the gateway sent.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The recorder. */
export interface EngineRecorder {
  url: string;
  /** The engine that it stands before; to be set before anything is sent. */
  engine: string;
  /** `service.Action` of all that was sent. */
  sent: ReadonlySet<string>;
  stop(): Promise<void>;
}

/** Starts a recorder on a free port of 127.0.0.1. */
export async function startEngineRecorder(): Promise<EngineRecorder> {
  const sent = new Set<string>();
  const recorder: EngineRecorder = { url: '', engine: '', sent, stop };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    sent.add(actionOf(request, body.toString()));
    const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
    const init = { method: 'POST', headers: headers as Record<string, string>, body };
    const answer = await fetch(recorder.engine + request.url, init);
    const type = answer.headers.get('content-type') ?? '';
    response.writeHead(answer.status, { 'Content-Type': type }).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  recorder.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return recorder;

  function stop(): Promise<void> {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  }
}

function actionOf({ headers }: IncomingMessage, body: string): string {
  const target = headers['x-amz-target'];
  if (typeof target === 'string') return target.replace('AmazonSQS.', 'sqs.');
  return `sns.${new URLSearchParams(body).get('Action')}`;
}
