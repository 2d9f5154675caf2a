/**
 * A proxy between the gateway and a real engine that records which actions the gateway sends and counts the requests
 * in flight.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RegionsVar } from '../../functions/shared/regions.ts';

/** A running recorder. */
export interface EngineRecorder {
  url: string;
  /** The `service.Action` of every request. */
  sent: ReadonlySet<string>;
  /** Counts the requests in flight for an action (`service.Action`) that mention `name`. */
  underWay(action: string, name: string): number;
  /** Requests are forwarded after this resolves. */
  gate: Promise<void>;
  /** The vars of a stack whose gateway uses the recorder as fr-par's engine. */
  vars(usual: { REGIONS: RegionsVar }): { REGIONS: RegionsVar };
  stop(): Promise<void>;
}

/** Starts a recorder on a free port of 127.0.0.1. */
export async function startEngineRecorder(): Promise<EngineRecorder> {
  const sent = new Set<string>();
  const pending = new Set<{ action: string; body: string }>();
  let engine = '';
  const recorder: EngineRecorder = {
    url: '',
    sent,
    underWay: (action, name) =>
      [...pending].filter((one) => one.action === action && one.body.includes(name)).length,
    gate: Promise.resolve(),
    vars({ REGIONS }) {
      const region = REGIONS['fr-par'] as RegionsVar[string];
      engine = region.engine?.sqs_endpoint ?? '';
      const behind = { ...region.engine, sqs_endpoint: recorder.url, sns_endpoint: recorder.url };
      return { REGIONS: { ...REGIONS, 'fr-par': { ...region, engine: behind } } } as { REGIONS: RegionsVar };
    },
    stop,
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const one = { action: actionOf(request, body), body };
    sent.add(one.action);
    pending.add(one);
    const left = new AbortController();
    response.on('close', () => {
      pending.delete(one);
      left.abort();
    });
    await recorder.gate;
    const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
    const init = { method: 'POST', headers: headers as Record<string, string>, body, signal: left.signal };
    try {
      const engineResponse = await fetch(engine + request.url, init);
      const type = engineResponse.headers.get('content-type') ?? '';
      response.writeHead(engineResponse.status, { 'Content-Type': type }).end(await engineResponse.text());
    } catch {
      response.destroy();
    }
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
