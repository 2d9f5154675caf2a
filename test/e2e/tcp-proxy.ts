/** A TCP proxy on 127.0.0.1 that can be cut: for everyone, or for connections that begin with a text. */
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../stack/ports.ts';

/** A running proxy. */
export interface TcpProxy {
  port: number;
  /** Ends the connections whose client has sent `text`, and refuses such; all of them without it. */
  cut(text?: string): void;
  /** Lets everyone through again. */
  mend(): void;
  /** Ends it. */
  close(): void;
}

/** How much of a connection is looked at for the text. */
const START_BYTES = 20_000;

/** Starts a proxy that lets everyone through to `target`, a port. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const port = await freePort();
  const open = new Map<Socket, string>();
  let denied: string | undefined;
  const server = createServer((client) => {
    if (denied === '') return client.destroy();
    const upstream = connect(target, '127.0.0.1');
    open.set(client, '');
    client.on('data', (chunk) => {
      const start = open.get(client) ?? '';
      if (start.length > START_BYTES) return;
      open.set(client, start + chunk.toString('latin1'));
      if (denied !== undefined && open.get(client)?.includes(denied)) client.destroy();
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.pipe(other);
      one.on('error', () => {});
      one.on('close', () => {
        other.destroy();
        open.delete(client);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    cut(text = '') {
      denied = text;
      for (const [client, start] of open) if (start.includes(text)) client.destroy();
    },
    mend() {
      denied = undefined;
    },
    close() {
      server.close();
      for (const client of open.keys()) client.destroy();
    },
  };
}
