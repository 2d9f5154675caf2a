/**
 * Whether operations cost more as a region fills up: the same ones with 10², 10⁴ and 10⁶ credentials of one project in
 * the region, taking turns: round trips to the region's database, the rows that it reads and writes, and the time. Of a
 * list the first page, and page 1,000, which an offset must walk to.
 */
import type { DatabaseSync } from 'node:sqlite';
import { ensureSecrets } from '../stack/secrets.ts';
import type { Area, Figure } from './area.ts';
import { interleave, percentile } from './rounds.ts';
import { type BenchWorker, startInPlace } from './worker.ts';

const REGION = 'fr-par';
const SIZES = [100, 10_000, 1_000_000];
const REPEATS = 20;
const FIRST_PAGE = 'list, first page';
const DEEP = 'list, page 1,000';
const LAST_PAGE = '?page=1000&page_size=50';

/** What an operation cost: milliseconds, and the counts of one call. */
interface Sample {
  p50: number;
  trips: number;
  read: number;
  written: number;
}

type Costs = Record<string, Sample>;

/** See this file's head. */
export const growth: Area = {
  name: 'growth',
  async measure({ rounds, state, stack: start }) {
    const stack = await start();
    const { project_id, organization_id, secret_key } = stack.owner ?? {};
    if (!project_id || !organization_id || !secret_key) throw new Error('The stack has no Owner');
    const { worker: secrets } = await ensureSecrets(state, [...stack.engines.keys()]);
    const workers: BenchWorker[] = [];
    try {
      for (const size of SIZES) {
        workers.push(
          await startInPlace('metered', state, secrets, (binding, database) => {
            if (binding === 'REGION_FR_PAR') fill(database, size, project_id, organization_id);
          }),
        );
      }
      const measured = await interleave(
        rounds,
        Object.fromEntries(
          workers.map((worker, at) => [
            String(SIZES[at]),
            () => costsOf(worker.origin, secret_key, project_id, SIZES[at] === SIZES.at(-1)),
          ]),
        ),
      );
      return figuresOf(measured as Record<string, Costs[]>);
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  },
};

/** Fills a project with credentials of Queues, past the API. */
function fill(database: DatabaseSync, size: number, project: string, organization: string): void {
  database
    .prepare(
      `insert into credentials (id, product, organization_id, project_id, name, key, checksum, permissions,
         created_at, updated_at)
       with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
       select lower(hex(randomblob(16))), 'sqs', ?, ?, 'name ' || (i * 7919 % 1000003), 'LKEY' || i, '', 1,
         1000000 + i, 2000000 + (i * 104729 % 1000003) from n`,
    )
    .run(size, organization, project);
  database
    .prepare(
      `insert into counts (scope, resource, value) values (?, 'sqs', ?)
       on conflict (scope, resource) do update set value = value + excluded.value`,
    )
    .run(project, size);
  database.exec('analyze');
}

async function costsOf(
  origin: string,
  token: string,
  project_id: string,
  isLargest: boolean,
): Promise<Costs> {
  const at = `${origin}/mnq/v1beta1/regions/${REGION}/sqs-credentials`;
  const headers = { 'X-Auth-Token': token, 'Content-Type': 'application/json' };
  const times: Record<string, number[]> = {};
  const costs: Record<string, Omit<Sample, 'p50'>> = {};
  const measure = async (name: string, method: string, path: string, body?: object) => {
    const start = performance.now();
    const answer = await fetch(at + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const text = await answer.text();
    times[name] = [...(times[name] ?? []), performance.now() - start];
    if (!answer.ok) throw new Error(`${name} answered ${answer.status}: ${text}`);
    const [trips = 0, read = 0, written = 0] = (answer.headers.get('Bench-Cost') ?? '')
      .split(' ')
      .map(Number);
    costs[name] = { trips, read, written };
    return text ? (JSON.parse(text) as { id: string }) : { id: '' };
  };
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const permissions = { can_publish: true };
    const { id } = await measure('create', 'POST', '', { project_id, name: 'measured', permissions });
    await measure('get', 'GET', `/${id}`);
    await measure('update', 'PATCH', `/${id}`, { permissions: { can_manage: true } });
    await measure(FIRST_PAGE, 'GET', `?project_id=${project_id}`);
    if (isLargest) await measure(DEEP, 'GET', LAST_PAGE);
    await measure('revoke', 'DELETE', `/${id}`);
  }
  return Object.fromEntries(
    Object.entries(costs).map(([name, cost]) => [name, { ...cost, p50: percentile(times[name] ?? [], 50) }]),
  );
}

// The counts stand in the names: they are the same in every round, and most of them nothing.
function figuresOf(measured: Record<string, Costs[]>): Figure[] {
  const times = (costs: Costs[], name: string) => costs.map((cost) => cost[name]?.p50 ?? Number.NaN);
  const smallest = measured[String(SIZES[0])] ?? [];
  return SIZES.slice(1).flatMap((size) => {
    const costs = measured[String(size)] ?? [];
    return Object.entries(costs[0] ?? {}).map(([name, sample]): Figure => {
      const base = name === DEEP ? FIRST_PAGE : name;
      const counts = countsOf(sample);
      const before = countsOf(smallest[0]?.[base]);
      return {
        measure: `${name}, ${size.toLocaleString('en')} credentials (${counts})`,
        unit: 'ms p50',
        values: times(costs, name),
        baseline: {
          of: `${base === name ? '' : `${base}, `}${SIZES[0]} (${counts === before ? 'the same' : before})`,
          values: times(smallest, base),
        },
        aim: base === name ? '≤ 1.2, the same counts' : undefined,
      };
    });
  });
}

function countsOf(sample: Sample | undefined): string {
  return sample ? `${sample.trips} trip, ${sample.read} rows read, ${sample.written} written` : '';
}
