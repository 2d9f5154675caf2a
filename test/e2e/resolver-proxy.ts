/** A proxy between nats-servers and the Worker's resolver that can delay responses, like a slow network. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsSettings } from '../stack/nats.ts';

/** A running proxy. */
export interface ResolverProxy {
  /** The delay of responses from now on, in milliseconds. */
  delay: number;
  /** Added to the delay for each response that is delayed at the same time, in milliseconds, like a busy processor. */
  delayEach: number;
  /** The number of delayed responses at this moment. */
  readonly held: number;
  /** Settings of a nats-server that uses this proxy as its resolver. */
  before(settings: NatsSettings): NatsSettings;
  /** Stops it. */
  close(): void;
}

/** Starts a proxy without a delay. */
export async function startResolverProxy(): Promise<ResolverProxy> {
  let worker = '';
  let held = 0;
  const server = createServer(async (request, response) => {
    const { delay } = proxy;
    const answer = await fetch(worker + request.url);
    const body = Buffer.from(await answer.arrayBuffer());
    held++;
    if (delay > 0) await sleep(delay);
    const start = performance.now();
    while (performance.now() - start < proxy.delayEach * held) await sleep(20);
    held--;
    response.writeHead(answer.status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: ResolverProxy = {
    delay: 0,
    delayEach: 0,
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
