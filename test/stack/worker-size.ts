/** The size of a deployed Worker, for the benchmark and for the test of its budget. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runTool } from './project.ts';

/**
 * Returns the size of the upload in kB of 1000 bytes: modules, without source maps. `folder` is for temporary files.
 */
export async function gzipOf(config: string, folder: string): Promise<number> {
  const out = mkdtempSync(join(folder, 'out-'));
  await runTool('wrangler', ['deploy', '--dry-run', '--config', config, '--outdir', out]);
  const modules = readdirSync(out).filter((name) => /\.(js|wasm)$/.test(name));
  if (modules.length === 0) throw new Error(`wrangler wrote no module to ${out}`);
  return modules.reduce((sum, name) => sum + gzipSync(readFileSync(join(out, name))).length, 0) / 1000;
}
