/** A TCP proxy on 127.0.0.1 that can be cut: for everyone, or for connections that begin with a text. */
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../stack/ports.ts';

/** A running proxy. */
export interface TcpProxy {
  port: number;
  /** Closes the connections whose client has sent `text`, and refuses new ones; all connections if it is omitted. */
  cut(text?: string): void;
  /** Accepts all connections again. */
  restore(): void;
  /** Stops it. */
  close(): void;
}

/** How many bytes of a connection are searched for the text. */
const START_BYTES = 20_000;

/** Starts a proxy to `target`, a port, that accepts all connections. */
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
    restore() {
      denied = undefined;
    },
    close() {
      server.close();
      for (const client of open.keys()) client.destroy();
    },
  };
}
