/**
 * The local stack: what `npm start` guarantees about restarts, kills, ports and files, and that static pages are
 * served as in a deployment.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StackPorts } from '../stack/ports.ts';
import { signal } from '../stack/signal.ts';
import { stackDatabases } from '../stack/stack.ts';
import { serverVersion } from './server-faults.ts';
import { type StartProcess, startProcess } from './start-process.ts';

const state = mkdtempSync(join(tmpdir(), 'latchkey-stack-'));
let running: StartProcess;

beforeAll(async () => {
  running = await startProcess(state);
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
    // A zombie: an ended process that was not reaped yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('static pages', () => {
  const get = (path: string, init?: RequestInit) =>
    fetch(running.origin + path, { redirect: 'manual', ...init });

  it('have the headers of a deployment, not the Worker’s', async () => {
    for (const path of ['/', '/concepts/']) {
      const page = await get(path);
      expect(page.status, path).toBe(200);
      expect(page.headers.get('Content-Security-Policy'), path).toContain("frame-ancestors 'none'");
      expect(page.headers.get('X-Request-Id'), path).toBeNull();
    }
  });

  it('have one URL each, which ends in a slash', async () => {
    const response = await get('/concepts');
    expect([response.status, response.headers.get('Location')]).toEqual([307, '/concepts/']);
  });

  it('include the 404 page for unknown paths', async () => {
    const response = await get('/nothing/here/');
    expect([response.status, response.headers.get('Content-Type')]).toEqual([
      404,
      'text/html; charset=utf-8',
    ]);
  });

  it('leave the Worker’s paths to the Worker', async () => {
    for (const path of [
      '/mnq/nothing',
      '/iam/nothing',
      '/account/nothing',
      '/jwt/nothing',
      '/openapi.json',
      '/healthz',
      '/metadata',
    ]) {
      expect((await get(path)).headers.get('X-Request-Id'), path).toBeTruthy();
    }
  });

  it('leave the APIs of other products to the Worker, so that their clients get a readable error', async () => {
    for (const path of [
      '/instance/v1/zones/fr-par-1/servers',
      '/secret-manager/v1beta1/regions/fr-par/secrets',
    ]) {
      for (const method of ['GET', 'POST']) {
        const response = await fetch(running.origin + path, { method });
        expect([path, method, response.status]).toEqual([path, method, 404]);
        expect(await response.json()).toMatchObject({
          type: 'not_found',
          resource: 'endpoint',
          resource_id: path,
        });
      }
    }
  });

  it('expose none of the local runtime’s own endpoints', async () => {
    for (const path of ['/cdn-cgi/local/explorer', '/cdn-cgi/local/scheduled', '/cdn-cgi/mf/scheduled']) {
      expect((await get(path)).status, path).toBe(404);
    }
  });
});

describe('npm start', () => {
  it('restricts its state folder to its owner', () => {
    const mode = (path: string) => (statSync(join(state, path)).mode & 0o777).toString(8);
    expect([mode(''), mode('owner.json'), mode('secrets.json')]).toEqual(['700', '600', '600']);
  });

  // Addresses there are in hexadecimal, with reversed bytes; 0A is a listening socket.
  it.runIf(existsSync('/proc/net/tcp'))('listens on the loopback interface only', () => {
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

  it('stops everything on Ctrl-C, and restarts on the same endpoints', async () => {
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
    running = await startProcess(state);
    expect(running.owner).toEqual(owner);
    expect(readFileSync(join(state, 'ports.json'), 'utf8')).toBe(ports);
  });

  it('ends the processes that a kill of its first process left behind', async () => {
    const before = recorded();
    signal(before.find(({ role }) => role === 'stack')?.pid, 'SIGKILL');
    running = await startProcess(state);
    expect(before.filter(isAlive)).toEqual([]);
    expect(running.printed()).toContain('Ended 5 processes');
    expect((await fetch(`${running.origin}/healthz`)).status).toBe(200);
  });

  it('refuses a state folder on which a stack is running, which keeps running', async () => {
    const before = recorded();
    const pid = before.find(({ role }) => role === 'stack')?.pid;
    await expect(startProcess(state)).rejects.toThrow(
      `Latchkey is already running on ${state} as process ${pid}. Press Ctrl-C in its terminal or run kill ${pid}, then start again.`,
    );
    expect(recorded()).toEqual(before);
    expect((await fetch(`${running.origin}/healthz`)).status).toBe(200);
  });

  it.each([
    ['nats fr-par', 'nats-server for fr-par'],
    ['engine nl-ams', 'queue engine for nl-ams'],
  ])('restarts %s after a crash, and reports it', async (role, name) => {
    const pidOf = () => recorded().find((entry) => entry.role === role)?.pid;
    const [before, from] = [pidOf(), running.printed().length];
    signal(before, 'SIGKILL');
    const printed = () => running.printed().slice(from);
    await expect.poll(printed).toContain(`${name} is running again.`);
    expect(printed()).toContain(`${name} exited (SIGKILL)`);
    expect(printed()).toContain(`Restarting ${name} in 1 s.`);
    expect(pidOf()).not.toBe(before);
  });

  it('prints the nats-server of each region, where to start, and how to sign in', () => {
    const { origin, printed } = running;
    const { nats } = JSON.parse(readFileSync(join(state, 'ports.json'), 'utf8')) as StackPorts;
    for (const [region, { client }] of Object.entries(nats))
      expect(printed()).toMatch(
        new RegExp(`NATS ${region} +nats://127\\.0\\.0\\.1:${client} \\(nats-server ${serverVersion}\\)`),
      );
    expect(printed()).toContain(`${origin}/get-started/\n`);
    expect(printed()).toContain(`${origin}/how-to/create-credentials/\n`);
    expect(printed()).toContain(join(state, 'owner.json'));
  });

  it('prints a link that signs the Owner in, once', async () => {
    const { origin, owner, printed } = running;
    const token = new RegExp(`${origin}/sign-in/#(\\S+) \\(single use`).exec(printed())?.[1];
    const follow = () =>
      fetch(`${origin}/auth/sign-in/link`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Origin: origin },
        body: JSON.stringify({ token }),
      });
    const first = await follow();
    expect(first.status).toBe(200);
    const cookie = first.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ');
    const principal = await fetch(`${origin}/iam/v1alpha1/principal`, { headers: { Cookie: cookie } });
    expect(JSON.stringify(await principal.json())).toContain(owner.email);
    const second = await follow();
    expect([second.status, second.headers.getSetCookie()]).toEqual([412, []]);
  });

  it('names PORT when another program uses the port, and does not touch that program', async () => {
    const taken = createServer() as Server;
    const other = await new Promise<number>((resolve) =>
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
    );
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-stack-'));
    await expect(startProcess(folder, other)).rejects.toThrow(
      /Port \d+ is already in use.*PORT=\d+ npm start/s,
    );
    await new Promise((resolve) => taken.close(resolve));
    rmSync(folder, { recursive: true });
  });

  describe('exits with one sentence that names the cause', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'latchkey-stack-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    async function refusal(port: number | string = 0, environment: NodeJS.ProcessEnv = {}): Promise<string> {
      const error = await startProcess(folder, port, environment).then(
        () => new Error('it started'),
        (refused: Error) => refused,
      );
      // A stack trace would contain line numbers.
      expect(error.message).not.toMatch(/^ +at /m);
      return error.message;
    }

    it.each(['abc', '70000', '-1', '80.5', '0x1'])('when PORT is %s', async (port) => {
      expect(await refusal(port)).toContain(
        `PORT is ${port}, which is not a port. Use a number from 1 to 65535`,
      );
    });

    it('when the state folder contains other files, which stay unchanged', async () => {
      mkdirSync(join(folder, 'tmp/mydata'), { recursive: true });
      mkdirSync(join(folder, 'pages'));
      writeFileSync(join(folder, 'tmp/mydata/file'), 'mine');
      writeFileSync(join(folder, 'pages/mine.txt'), 'mine');
      chmodSync(folder, 0o755);
      expect(await refusal()).toContain(`${folder} contains files that do not belong to Latchkey.`);
      expect(readdirSync(folder, { recursive: true }).sort()).toEqual(
        ['pages', 'pages/mine.txt', 'tmp', 'tmp/mydata', 'tmp/mydata/file'].map((path) => join(path)),
      );
      expect(statSync(folder).mode & 0o777).toBe(0o755);
    });

    it('when the state folder is a file', async () => {
      const file = join(folder, 'file');
      writeFileSync(file, '');
      expect(await refusal(0, { LATCHKEY_STATE: file })).toContain(
        `${file} cannot be used as the state folder (it is a file).`,
      );
    });

    it.each([
      ['ports.json', '{"origin": "8787"}', 'Delete it; the next start chooses new ports.'],
      ['processes.json', '{', 'End any processes left from an earlier start, then delete it.'],
      ['secrets.json', '{"worker": {}}', 'Restore it from a backup'],
    ])('when %s is damaged', async (name, text, remedy) => {
      writeFileSync(join(folder, '.latchkey-state'), '');
      writeFileSync(join(folder, name), text);
      expect(await refusal()).toContain(`${join(folder, name)} is damaged. ${remedy}`);
      expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
    });

    it('when a database file is invalid', async () => {
      writeFileSync(join(folder, '.latchkey-state'), '');
      const [identity] = await stackDatabases(folder);
      const file = identity?.file ?? '';
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, 'not a database '.repeat(100));
      expect(await refusal()).toContain(`${file} is damaged or not a database.`);
    });

    it('when NATS_SERVER is another program', async () => {
      expect(await refusal(0, { NATS_SERVER: '/bin/ls' })).toContain('/bin/ls is not a nats-server');
    });
  });
});
