/**
 * Stands between nats-servers and the Worker's resolver, and can keep back what was answered: as a slow network would.
 * Everything else passes as it is.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsSettings } from '../stack/nats.ts';

/** A running proxy. */
export interface ResolverProxy {
  /** How long answers are kept back from now on, in milliseconds. */
  delay: number;
  /** How many answers are kept back at this moment. */
  readonly held: number;
  /** Settings of a nats-server that asks this proxy instead of the Worker. */
  before(settings: NatsSettings): NatsSettings;
  /** Ends it. */
  close(): void;
}

/** Starts a proxy that keeps nothing back yet. */
export async function startResolverProxy(): Promise<ResolverProxy> {
  let worker = '';
  let held = 0;
  const server = createServer(async (request, response) => {
    const { delay } = proxy;
    const answer = await fetch(worker + request.url);
    const body = Buffer.from(await answer.arrayBuffer());
    held++;
    if (delay > 0) await sleep(delay);
    held--;
    response.writeHead(answer.status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: ResolverProxy = {
    delay: 0,
    get held() {
      return held;
    },
    before(settings) {
      worker = settings.worker;
      return { ...settings, worker: `http://127.0.0.1:${port}` };
    },
    close: () => server.close(),
  };
  return proxy;
}
