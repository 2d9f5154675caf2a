/**
 * `npm run bench`: measures the areas, prints one table, and writes the same as JSON to `bench.json`. Judges nothing.
 *
 *     npm run bench -- [area…] [--rounds 7]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleWorker } from '../stack/bundle.ts';
import { defaultConfig, root } from '../stack/project.ts';
import { buildSite } from '../stack/site.ts';
import { type Stack, startStack } from '../stack/stack.ts';
import type { Area, Figure, Latency } from './area.ts';
import { request } from './client.ts';
import { controlPlane } from './control-plane.ts';
import { creds } from './creds.ts';
import { denial } from './denial.ts';
import { gateway } from './gateway.ts';
import { growth } from './growth.ts';
import { memory } from './memory.ts';
import { peers } from './peers.ts';
import { ratios, type Spread, spreadOf } from './rounds.ts';
import { sigv4 } from './sigv4.ts';
import { size } from './size.ts';

const AREAS: readonly Area[] = [size, controlPlane, creds, sigv4, gateway, denial, growth, peers, memory];

type LatencySpread = Record<keyof Latency, Spread>;

/** A figure as it is printed and written. */
interface Row {
  area: string;
  measure: string;
  unit: string;
  value: Spread;
  /** Milliseconds. */
  latency?: LatencySpread;
  baseline?: { of: string; value: Spread; latency?: LatencySpread };
  ratio?: Spread;
  aim?: string;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '7' } },
  });
  const unknown = positionals.filter((name) => !AREAS.some((area) => area.name === name));
  if (unknown.length > 0)
    throw new Error(`No such area: ${unknown}. There are ${AREAS.map(({ name }) => name)}`);
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
  const machine = { cpu: cpus()[0]?.model, cpus: cpus().length, node: process.version };
  const file = join(root, 'bench.json');
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), machine, rounds: bench.rounds, rows }, null, 2)}\n`,
  );
  console.log(`\nThe same as JSON: ${file}`);
}

async function startFresh(state: string): Promise<Stack> {
  const { assets } = await bundleWorker(defaultConfig);
  await buildSite(defaultConfig, assets);
  const stack = await startStack({ state, port: 0 });
  for (const region of stack.engines.keys())
    await request(stack, region, 'POST', '/activate-sqs', { project_id: stack.owner?.project_id });
  return stack;
}

function latencyOf(latency: Latency | undefined): { latency?: LatencySpread } {
  return latency ? { latency: { p50: spreadOf(latency.p50), p99: spreadOf(latency.p99) } } : {};
}

function rowOf(area: string, { measure, unit, values, latency, baseline, aim }: Figure): Row {
  return {
    area,
    measure,
    unit,
    value: spreadOf(values),
    ...latencyOf(latency),
    ...(baseline && {
      baseline: { of: baseline.of, value: spreadOf(baseline.values), ...latencyOf(baseline.latency) },
      ratio: spreadOf(ratios(values, baseline.values)),
    }),
    ...(aim !== undefined && { aim }),
  };
}

const LATENCY = 'p50 / p99 ms';

function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ area, measure, unit, value, latency, baseline, ratio, aim }) => [
    area,
    measure,
    `${show(value.median)} ${unit}`,
    `${show(value.lower)} – ${show(value.upper)}`,
    showLatency(latency),
    baseline ? `${baseline.of} ${show(baseline.value.median)}` : '',
    showLatency(baseline?.latency),
    ratio ? `× ${show(ratio.median)}` : '',
    ratio ? `${show(ratio.lower)} – ${show(ratio.upper)}` : '',
    aim ?? '',
  ]);
  const lines = [
    ['area', 'measure', 'median', 'middle half', LATENCY, 'baseline', LATENCY, 'ratio', 'middle half', 'aim'],
    ...cells,
  ];
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function showLatency(latency: LatencySpread | undefined): string {
  return latency ? `${show(latency.p50.median)} / ${show(latency.p99.median)}` : '';
}

/** Three digits that matter; nothing for what was not measured. */
function show(number: number): string {
  if (Number.isNaN(number)) return '';
  return number >= 1000 ? String(Math.round(number)) : String(Number(number.toPrecision(3)));
}

await main();
