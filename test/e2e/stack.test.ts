/**
 * The local stack itself: what `npm start` promises about restarts, kills, ports, files, and that static pages are
 * served as they are deployed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../stack/ports.ts';
import { signal } from '../stack/signal.ts';
import { type StartProcess, startProcess } from './start-process.ts';

const state = mkdtempSync(join(tmpdir(), 'latchkey-stack-'));
let port: number;
let running: StartProcess;

beforeAll(async () => {
  port = await freePort();
  running = await startProcess(state, port);
});

afterAll(async () => {
  await running.interrupt();
  rmSync(state, { recursive: true, force: true });
});

interface Recorded {
  role: string;
  pid: number;
}

function recorded(): Recorded[] {
  return JSON.parse(readFileSync(join(state, 'processes.json'), 'utf8')) as Recorded[];
}

function isAlive({ pid }: Recorded): boolean {
  try {
    // An ended process that nobody has asked for yet is still listed, as a zombie.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('static pages', () => {
  const get = (path: string, init?: RequestInit) =>
    fetch(running.origin + path, { redirect: 'manual', ...init });

  it('have the headers of the deployment, and none of the Worker’s', async () => {
    for (const path of ['/', '/concepts/']) {
      const page = await get(path);
      expect(page.status, path).toBe(200);
      expect(page.headers.get('Content-Security-Policy'), path).toContain("frame-ancestors 'none'");
      expect(page.headers.get('X-Request-Id'), path).toBeNull();
    }
  });

  it('have one address each, which ends in a slash', async () => {
    const answer = await get('/concepts');
    expect([answer.status, answer.headers.get('Location')]).toEqual([307, '/concepts/']);
  });

  it('are answered with the page for what is not there', async () => {
    const answer = await get('/nothing/here/');
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([404, 'text/html; charset=utf-8']);
  });

  it('leave the paths of the Worker to it', async () => {
    for (const path of [
      '/mnq/nothing',
      '/iam/nothing',
      '/account/nothing',
      '/jwt/nothing',
      '/openapi.json',
      '/healthz',
    ]) {
      expect((await get(path)).headers.get('X-Request-Id'), path).toBeTruthy();
    }
  });

  it('come without the local runtime’s own doors', async () => {
    for (const path of ['/cdn-cgi/local/explorer', '/cdn-cgi/local/scheduled', '/cdn-cgi/mf/scheduled']) {
      expect((await get(path)).status, path).toBe(404);
    }
  });
});

describe('npm start', () => {
  it('keeps its state to its owner', () => {
    const mode = (path: string) => (statSync(join(state, path)).mode & 0o777).toString(8);
    expect([mode(''), mode('owner.json'), mode('secrets.json')]).toEqual(['700', '600', '600']);
  });

  // Addresses are in hexadecimal there, bytes backwards; 0A is a socket that listens.
  it.runIf(existsSync('/proc/net/tcp'))('listens on this machine alone', () => {
    const ports = JSON.parse(readFileSync(join(state, 'ports.json'), 'utf8')) as {
      engines: object;
      nats: object;
    };
    const numbers = JSON.stringify(ports).match(/\d{4,5}/g) ?? [];
    expect(numbers.length).toBe(7);
    const listening = ['tcp', 'tcp6'].flatMap((file) =>
      readFileSync(`/proc/net/${file}`, 'utf8')
        .split('\n')
        .flatMap((line) => {
          const [, address, port] = /: (\w+):(\w{4}) \w+:\w+ 0A /.exec(line) ?? [];
          return port ? [{ address, port: Number.parseInt(port, 16) }] : [];
        }),
    );
    for (const number of numbers) {
      const addresses = listening.filter(({ port }) => port === Number(number)).map(({ address }) => address);
      expect(addresses, number).toEqual(['0100007F']);
    }
  });

  it('ends everything on Ctrl-C, and goes on at the same endpoints', async () => {
    const [before, ports] = [recorded(), readFileSync(join(state, 'ports.json'), 'utf8')];
    expect(before.map(({ role }) => role).sort()).toEqual([
      'engine fr-par',
      'engine nl-ams',
      'nats fr-par',
      'nats nl-ams',
      'stack',
      'worker',
    ]);
    expect(await running.interrupt()).toBe(0);
    expect(before.filter(isAlive)).toEqual([]);
    const { owner } = running;
    running = await startProcess(state, port);
    expect(running.owner).toEqual(owner);
    expect(readFileSync(join(state, 'ports.json'), 'utf8')).toBe(ports);
  });

  it('ends what a kill of its first process left behind', async () => {
    const before = recorded();
    signal(before.find(({ role }) => role === 'stack')?.pid, 'SIGKILL');
    running = await startProcess(state, port);
    expect(before.filter(isAlive)).toEqual([]);
    expect(running.printed()).toContain('Ended 5 processes');
    expect((await fetch(`${running.origin}/healthz`)).status).toBe(200);
  });

  it('takes a state folder over from a stack that still runs on it', async () => {
    const before = recorded();
    running = await startProcess(state, port);
    expect(before.filter(isAlive)).toEqual([]);
  });

  it('names PORT when another program has the port, and leaves that program alone', async () => {
    const taken = createServer() as Server;
    const other = await new Promise<number>((resolve) =>
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
    );
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-stack-'));
    await expect(startProcess(folder, other)).rejects.toThrow(/Port \d+ is taken.*PORT=\d+ npm start/s);
    await new Promise((resolve) => taken.close(resolve));
    rmSync(folder, { recursive: true });
  });
});
