/**
 * `npm run bench`: measures the areas, prints one table, and writes the same data as JSON to `bench.json`. It judges
 * nothing.
 *
 * npm run bench -- [area…] [--rounds 7] [--save]
 *
 * `--save` also saves the results for the performance page.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Row, Run } from '../../site/src/build/performance.ts';
import { root } from '../stack/project.ts';
import type { Stack } from '../stack/stack.ts';
import type { Area } from './area.ts';
import { controlPlane } from './control-plane.ts';
import { creds } from './creds.ts';
import { denial } from './denial.ts';
import { gateway } from './gateway.ts';
import { growth } from './growth.ts';
import { memory } from './memory.ts';
import { peers } from './peers.ts';
import { rowOf, saveForPage, tableOf } from './report.ts';
import { resolver } from './resolver.ts';
import { sigv4 } from './sigv4.ts';
import { size } from './size.ts';
import { startFresh } from './stack.ts';

const AREAS: readonly Area[] = [
  size,
  controlPlane,
  creds,
  sigv4,
  gateway,
  denial,
  resolver,
  growth,
  peers,
  memory,
];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '7' }, save: { type: 'boolean', default: false } },
  });
  const unknown = positionals.filter((name) => !AREAS.some((area) => area.name === name));
  if (unknown.length > 0)
    throw new Error(`No such area: ${unknown}. The areas are ${AREAS.map(({ name }) => name)}`);
  const areas = AREAS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const state = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  let stack: Promise<Stack> | undefined;
  const bench = {
    rounds: Number(values.rounds),
    state,
    stack: () => {
      stack ??= startFresh(state);
      return stack;
    },
  };
  const rows: Row[] = [];
  try {
    for (const area of areas) {
      console.error(`Measuring ${area.name}…`);
      rows.push(...(await area.measure(bench)).map((figure) => rowOf(area.name, figure)));
    }
  } finally {
    await (await stack)?.stop();
    rmSync(state, { recursive: true, force: true });
  }
  console.log(tableOf(rows));
  const machine = { cpu: cpus()[0]?.model ?? '', cpus: cpus().length, node: process.version };
  const run: Run = { at: new Date().toISOString(), machine, rounds: bench.rounds, rows };
  const file = join(root, 'bench.json');
  writeFileSync(file, `${JSON.stringify(run, null, 2)}\n`);
  console.log(`\nThe same as JSON: ${file}`);
  if (values.save) console.log(`On the page about performance: ${saveForPage(run)}`);
}

await main();
