/**
 * The ports of a state folder: chosen free, remembered, and kept for as long as nobody else has taken them, so that
 * endpoints stay what they were when the stack starts again.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { writePrivately } from './project.ts';

/** The ports of one region's nats-server. */
export interface NatsPorts {
  client: number;
  websocket: number;
}

interface Ports {
  origin?: number;
  nats: Record<string, NatsPorts>;
}

/** Thrown when the port that was asked for is somebody else's. */
export class PortTaken extends Error {
  constructor(port: number) {
    super(`Port ${port} is taken by another program. Choose another one with PORT, for example:

  PORT=${port + 1} npm start`);
  }
}

/**
 * The port of the origin and of each region's nats-server, written to `ports.json` of the state folder. `wanted` 0
 * means any. Throws {@link PortTaken}. Nothing holds the ports until the servers listen: another program may take
 * one in between.
 */
export async function choosePorts(
  state: string,
  wanted: number,
  regions: readonly string[],
): Promise<{ origin: number; nats: Record<string, NatsPorts> }> {
  const file = join(state, 'ports.json');
  const remembered: Ports = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { nats: {} };
  if (wanted !== 0 && !(await isFree(wanted))) throw new PortTaken(wanted);
  const origin = wanted || (await sameOrFree(remembered.origin));
  const nats: Ports['nats'] = { ...remembered.nats };
  for (const region of regions) {
    nats[region] = {
      client: await sameOrFree(nats[region]?.client),
      websocket: await sameOrFree(nats[region]?.websocket),
    };
  }
  writePrivately(file, `${JSON.stringify({ origin, nats }, null, 2)}\n`);
  return { origin, nats };
}

async function sameOrFree(port: number | undefined): Promise<number> {
  return port !== undefined && (await isFree(port)) ? port : ((await listen(0, '127.0.0.1')) as number);
}

// `localhost` may mean ::1 to a browser: a port is free only when nobody answers there either.
async function isFree(port: number): Promise<boolean> {
  return (await listen(port, '127.0.0.1')) !== 'taken' && (await listen(port, '::1')) !== 'taken';
}

/** Listens for a moment: the port it got, or whether it is taken or cannot be had for another reason. */
function listen(port: number, host: string): Promise<number | 'taken' | 'impossible'> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? 'taken' : 'impossible'),
    );
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 'impossible'));
    });
  });
}
