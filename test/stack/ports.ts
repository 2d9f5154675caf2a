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

/** The ports of a stack: of the origin, and of each region's servers. */
export interface StackPorts {
  origin: number;
  nats: Record<string, NatsPorts>;
  engines: Record<string, number>;
}

/** Thrown when the port that was asked for is somebody else's. */
export class PortTaken extends Error {
  constructor(port: number) {
    super(`Port ${port} is taken by another program. Choose another one with PORT, for example:

  PORT=${port + 1} npm start`);
  }
}

/**
 * The ports of a stack, written to `ports.json` of the state folder. `wanted` 0
 * means any. Throws {@link PortTaken}. Nothing holds the ports until the servers listen: another program may take
 * one in between.
 */
export async function choosePorts(
  state: string,
  wanted: number,
  regions: readonly string[],
): Promise<StackPorts> {
  const file = join(state, 'ports.json');
  const remembered: Partial<StackPorts> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  if (wanted !== 0 && !(await isFree(wanted))) throw new PortTaken(wanted);
  const chosen = new Set<number>();
  const choose = async (port: number | undefined) => {
    let one = port !== undefined && (await isFree(port)) ? port : await freePort();
    while (chosen.has(one)) one = await freePort();
    chosen.add(one);
    return one;
  };
  const origin = wanted || (await choose(remembered.origin));
  chosen.add(origin);
  const nats = { ...remembered.nats };
  const engines = { ...remembered.engines };
  for (const region of regions) {
    nats[region] = {
      client: await choose(nats[region]?.client),
      websocket: await choose(nats[region]?.websocket),
    };
    engines[region] = await choose(engines[region]);
  }
  const ports = { origin, nats, engines };
  writePrivately(file, `${JSON.stringify(ports, null, 2)}\n`);
  return ports;
}

/** Below the ports that systems give to outgoing connections, which could take one before its server listens. */
const FIRST = 11_000;
const SLICE = 4_000;
const SLICES = 5;

/** What this process was given: nobody may hold it yet, and then it looks free. */
const given = new Set<number>();

/**
 * A port that was free a moment ago, never the same one twice. Each worker of the tests has a slice of its own, so that two
 * that start at once are not given the same either.
 */
export async function freePort(): Promise<number> {
  const slice = Number(process.env.VITEST_POOL_ID ?? 0) % SLICES;
  for (;;) {
    const port = FIRST + slice * SLICE + Math.floor(Math.random() * SLICE);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

// `localhost` may mean ::1 to a browser: a port is free only when nobody answers there either.
async function isFree(port: number): Promise<boolean> {
  return (await listen(port, '127.0.0.1')) !== 'taken' && (await listen(port, '::1')) !== 'taken';
}

/** Listens for a moment: whether the port is free, is taken, or cannot be had for another reason. */
function listen(port: number, host: string): Promise<'free' | 'taken' | 'impossible'> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? 'taken' : 'impossible'),
    );
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve('free')));
  });
}
