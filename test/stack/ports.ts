/**
 * The ports of a state folder: free ports, remembered and reused as long as they stay free, so that endpoints do not
 * change between starts.
 */
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as z from 'zod';
import { readJson, writePrivately } from './project.ts';
import { Stop } from './tools.mjs';

const port = z.int().min(1).max(65_535);
const natsPorts = z.object({ client: port, websocket: port });
const stackPorts = z.object({
  origin: port,
  nats: z.record(z.string(), natsPorts),
  engines: z.record(z.string(), port),
});

/** The ports of one region's nats-server. */
export type NatsPorts = z.output<typeof natsPorts>;

/** The ports of a stack: of the origin, and of each region's servers. */
export type StackPorts = z.output<typeof stackPorts>;

/** The requested port is not available. */
export class PortTaken extends Stop {
  constructor(port: number, problem = 'is already in use by another program') {
    super(`Port ${port} ${problem}. Set PORT to another one, for example:

  PORT=${port < 1024 ? 8787 : port < 65_535 ? port + 1 : port - 1} npm start`);
  }
}

/** The default port of NATS clients. */
export const NATS_PORT = 4222;

/**
 * Parses the variable PORT: 8787 if it is not set, 0 for any free port. Throws {@link Stop} for anything but a number
 * from 0 to 65535 in decimal digits.
 */
export function portOf(text: string | undefined): number {
  if (!text) return 8787;
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= 65_535) return number;
  throw new Stop(
    `PORT is ${text}, which is not a port. Use a number from 1 to 65535, or 0 for any free port.`,
  );
}

/**
 * Returns the ports of a stack and writes them to `ports.json` in the state folder. `wanted` 0 means any. A region's
 * nats-server keeps its previous port; on the first start, `natsFrom` and the ports after it are used if free; else
 * any. Throws {@link PortTaken}, and {@link Stop} if `ports.json` is damaged. Nothing reserves the ports until the
 * servers listen: another program can take one in between.
 */
export async function choosePorts(
  state: string,
  wanted: number,
  regions: readonly string[],
  natsFrom?: number,
): Promise<StackPorts> {
  const file = join(state, 'ports.json');
  const remembered = readJson(file, stackPorts, 'Delete it; the next start chooses new ports.');
  if (wanted !== 0) await expectFree(wanted);
  const chosen = new Set<number>();
  const choose = async (port: number | undefined) => {
    let one = port !== undefined && (await isFree(port)) ? port : await freePort();
    while (chosen.has(one)) one = await freePort();
    chosen.add(one);
    return one;
  };
  const origin = wanted || (await choose(remembered?.origin));
  chosen.add(origin);
  const nats = { ...remembered?.nats };
  const engines = { ...remembered?.engines };
  for (const [index, region] of regions.entries()) {
    nats[region] = {
      client: await choose(nats[region]?.client ?? (natsFrom === undefined ? undefined : natsFrom + index)),
      websocket: await choose(nats[region]?.websocket),
    };
    engines[region] = await choose(engines[region]);
  }
  const ports = { origin, nats, engines };
  writePrivately(file, `${JSON.stringify(ports, null, 2)}\n`);
  return ports;
}

/** Below the ephemeral ports: an outgoing connection could take one of those before its server listens. */
const FIRST = 11_000;
const SLICE = 4_000;
const SLICES = 5;

/** The ports returned in this process: nothing may listen on them yet, so they look free. */
const given = new Set<number>();

/**
 * Returns a port that was free a moment ago, never the same one twice. Each test worker has its own slice, so that
 * concurrent starts do not get the same port.
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

async function expectFree(port: number): Promise<void> {
  if ((await listen(port, '127.0.0.1')) === 'impossible')
    throw new PortTaken(port, 'requires more privileges');
  if (!(await isFree(port))) throw new PortTaken(port);
}

// Browsers can resolve `localhost` to ::1: a port is free only if nothing listens there either.
async function isFree(port: number): Promise<boolean> {
  return (await listen(port, '127.0.0.1')) !== 'taken' && (await listen(port, '::1')) !== 'taken';
}

/** Listens briefly: returns whether the port is free or in use; throws for any other error. */
function listen(port: number, host: string): Promise<'free' | 'taken' | 'impossible'> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? 'taken' : 'impossible'),
    );
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve('free')));
  });
}
