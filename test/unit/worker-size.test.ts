/** The size of the Worker as deployments upload it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { defaultConfig } from '../stack/project.ts';
import { gzipOf } from '../stack/worker-size.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-size-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the Worker is at most 180 kB', async () => {
  expect(await gzipOf(defaultConfig, folder)).toBeLessThanOrEqual(180);
}, 60_000);
