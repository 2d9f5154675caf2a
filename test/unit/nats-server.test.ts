/** Which of the installed nats-servers the local stack starts. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isSupported } from '../../functions/nats/versions.ts';
import { findNatsServer, isSupported as isSupportedAtStart } from '../stack/nats-server.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-nats-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Creates a program that prints the output of a nats-server of this version. */
function server(path: string, version: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho 'nats-server: v${version}'\n`);
  chmodSync(file, 0o755);
  return file;
}

const environment = (...path: string[]) => ({
  PATH: path.map((each) => join(folder, each)).join(':'),
  XDG_CACHE_HOME: join(folder, 'cache'),
});

it('the stack uses the server in NATS_SERVER, whatever its version', () => {
  const old = server('old/nats-server', '2.9.10');
  server('new/nats-server', '2.15.1');
  expect(findNatsServer({ ...environment('new'), NATS_SERVER: old })).toBe(old);
});

it('the error names NATS_SERVER when it is not a program', () => {
  const named = { ...environment(), NATS_SERVER: folder };
  expect(() => findNatsServer(named)).toThrow(`NATS_SERVER is ${folder}, which is not an executable file.`);
});

it('the stack skips unsupported servers on PATH', () => {
  server('old/nats-server', '2.11.15');
  const supported = server('new/nats-server', '2.11.16');
  expect(findNatsServer(environment('old', 'new'))).toBe(supported);
});

it('the stack uses a cached download when PATH has no supported server', () => {
  server('old/nats-server', '2.9.10');
  const cached = server(`cache/latchkey/nats-server-2.15.3-${process.platform}-${process.arch}`, '2.15.3');
  expect(findNatsServer(environment('old'))).toBe(cached);
});

it('the stack supports the same versions as the Worker', () => {
  const patches = [0, 6, 7, 8, 15, 16, 17, 100];
  const lines = ['1.4', '2.9', '2.10', '2.11', '2.12', '2.13', '2.15', '3.0'];
  const releases = lines.flatMap((line) => patches.map((patch) => `${line}.${patch}`));
  const versions = releases.flatMap((each) => [each, `v${each}`, `${each}-RC.1`, `${each}+deb12u1`]);
  for (const version of [...versions, '', 'dev', '2.12', '2.12.7 '])
    expect(isSupportedAtStart(version), version).toBe(isSupported(version));
});
