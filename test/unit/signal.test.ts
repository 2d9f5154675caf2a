/** Signals are sent to one known process, never to the process group of the tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { root } from '../stack/project.ts';
import { signal, signalGroup } from '../stack/signal.ts';

it('signal refuses a missing process ID', () => {
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  try {
    for (const pid of [undefined, 0, 1, -1, 1.5, Number.NaN]) {
      expect(() => signal(pid, 'SIGSTOP'), String(pid)).toThrow('is not a process ID');
      expect(() => signalGroup(pid, 'SIGKILL'), String(pid)).toThrow('is not a process ID');
    }
    expect(kill).not.toHaveBeenCalled();
  } finally {
    kill.mockRestore();
  }
});

it('signal reaches one process, or the group that a process leads', async () => {
  for (const send of [signal, signalGroup]) {
    const child = spawn('sleep', ['60'], { detached: true });
    await once(child, 'spawn');
    send(child.pid, 'SIGKILL');
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  }
});

it('signal is the only function that the stack, the tests and the benchmarks send signals with', () => {
  const files = globSync('test/**/*.{ts,mjs}', { cwd: root });
  expect(files).toContain(join('test', 'stack', 'signal.ts'));
  const direct = files.filter((file) => /process\.kill\(/.test(readFileSync(join(root, file), 'utf8')));
  expect(direct).toEqual([join('test', 'stack', 'signal.ts')]);
});
