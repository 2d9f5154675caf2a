/**
 * Whether operations get slower as a region fills up: the same operations with 10², 10⁴ and 10⁶ credentials in one
 * project, half for Queues and half in one NATS account, alternating. Measures round trips to the region's database,
 * rows read and written, and time. Lists: the first page, and page 1,000, which an offset must skip to. The Worker
 * counts the cost of its requests, has no nats-servers, and no quota that these numbers would reach.
 */
import type { DatabaseSync } from 'node:sqlite';
import { ensureSecrets } from '../stack/secrets.ts';
import type { Area, Figure } from './area.ts';
import { call } from './client.ts';
import { interleave, percentile } from './rounds.ts';
import { type BenchWorker, startInPlace } from './worker.ts';

const REGION = 'fr-par';
const SIZES = [100, 10_000, 1_000_000];
const REPEATS = 20;
const FIRST_PAGE = 'list, first page';
const DEEP = 'list, page 1,000';
const LAST_PAGE = '&page=1000&page_size=50';

/** The cost of an operation: milliseconds, and the counts of one call. */
interface Sample {
  p50: number;
  trips: number;
  read: number;
  written: number;
}

type Costs = Record<string, Sample>;

/** Measures growth. */
export const growth: Area = {
  name: 'growth',
  async measure({ rounds, state, stack: start }) {
    const stack = await start();
    const { project_id, organization_id, secret_key } = stack.owner ?? {};
    if (!project_id || !organization_id || !secret_key) throw new Error('The stack has no Owner');
    const { id: account } = await call<{ id: string }>(stack, REGION, 'POST', '/nats-accounts', {
      project_id,
    });
    const place = { project: project_id, organization: organization_id, account };
    const { worker: secrets } = await ensureSecrets(state, [...stack.engines.keys()]);
    const workers: BenchWorker[] = [];
    try {
      for (const size of SIZES) {
        workers.push(
          await startInPlace('metered', state, { ...secrets, ...UNLIMITED }, (binding, database) => {
            if (binding === 'REGION_FR_PAR') fill(database, size, place);
          }),
        );
      }
      const measured = await interleave(
        rounds,
        Object.fromEntries(
          workers.map((worker, at) => [
            String(SIZES[at]),
            () => costsOf(worker.origin, secret_key, place, SIZES[at] === SIZES.at(-1)),
          ]),
        ),
      );
      return figuresOf(measured as Record<string, Costs[]>);
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  },
};

/** Quotas and limits that would reject so many. */
const UNLIMITED = { QUOTAS: { credentials: 10_000_000 } };

/** An account's count is kept below this number, because the API rejects more credentials. */
const MOST_COUNTED = 9_000;

type Filled = Record<'project' | 'organization' | 'account', string>;

/** Inserts credentials of Queues and of a NATS account directly, half of each. */
function fill(database: DatabaseSync, size: number, { project, organization, account }: Filled): void {
  for (const [product, of] of [
    ['sqs', null],
    ['nats', account],
  ] as const) {
    database
      .prepare(
        `insert into credentials (id, product, organization_id, project_id, nats_account_id, name, key, checksum,
           permissions, created_at, updated_at)
         with recursive n(i) as (select 1 union all select i + 1 from n where i < ?1)
         select lower(hex(randomblob(16))), ?2, ?3, ?4, ?5, 'name ' || (i * 7919 % 1000003), ?2 || i, '',
           iif(?5 is null, 1, null), 1000000 + i, 2000000 + (i * 104729 % 1000003) from n`,
      )
      .run(size / 2, product, organization, project, of);
    for (const scope of of === null ? [project] : [project, of]) {
      database
        .prepare(
          `insert into counts (scope, resource, value) values (?, ?, ?)
           on conflict (scope, resource) do update set value = value + excluded.value`,
        )
        .run(scope, product, scope === of ? Math.min(size / 2, MOST_COUNTED) : size / 2);
    }
  }
}

async function costsOf(
  origin: string,
  token: string,
  { project: project_id, account }: Filled,
  isLargest: boolean,
): Promise<Costs> {
  const at = `${origin}/mnq/v1beta1/regions/${REGION}`;
  const headers = { 'X-Auth-Token': token, 'Content-Type': 'application/json' };
  const times: Record<string, number[]> = {};
  const costs: Record<string, Omit<Sample, 'p50'>> = {};
  const measure = async (name: string, method: string, path: string, body?: object) => {
    const start = performance.now();
    const response = await fetch(at + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const text = await response.text();
    times[name] = [...(times[name] ?? []), performance.now() - start];
    if (!response.ok) throw new Error(`${name} returned ${response.status}: ${text}`);
    const [trips = 0, read = 0, written = 0] = (response.headers.get('Bench-Cost') ?? '')
      .split(' ')
      .map(Number);
    costs[name] = { trips, read, written };
    return text ? (JSON.parse(text) as { id: string }) : { id: '' };
  };
  const permissions = { can_publish: true };
  const products = [
    { product: 'sqs', of: { project_id, permissions }, within: `?project_id=${project_id}` },
    { product: 'nats', of: { nats_account_id: account }, within: `?nats_account_id=${account}` },
  ];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    for (const { product, of, within } of products) {
      const collection = `/${product}-credentials`;
      const { id } = await measure(`${product} create`, 'POST', collection, { ...of, name: 'measured' });
      const item = `${collection}/${id}`;
      await measure(`${product} get`, 'GET', item);
      if (product === 'sqs')
        await measure(`${product} update`, 'PATCH', item, { permissions: { can_manage: true } });
      await measure(`${product} ${FIRST_PAGE}`, 'GET', collection + within);
      if (isLargest) await measure(`${product} ${DEEP}`, 'GET', collection + within + LAST_PAGE);
      await measure(`${product} revoke`, 'DELETE', item);
    }
    const made = await measure('account create', 'POST', '/nats-accounts', { project_id });
    const item = `/nats-accounts/${made.id}`;
    await measure('account get', 'GET', item);
    await measure(`account ${FIRST_PAGE}`, 'GET', `/nats-accounts?project_id=${project_id}`);
    await measure('account rename', 'PATCH', item, { name: 'renamed' });
    await measure('account delete', 'DELETE', item);
  }
  return Object.fromEntries(
    Object.entries(costs).map(([name, cost]) => [name, { ...cost, p50: percentile(times[name] ?? [], 50) }]),
  );
}

// The counts are part of the names: they are the same in every round, and most are zero.
function figuresOf(measured: Record<string, Costs[]>): Figure[] {
  const times = (costs: Costs[], name: string) => costs.map((cost) => cost[name]?.p50 ?? Number.NaN);
  const smallest = measured[String(SIZES[0])] ?? [];
  return SIZES.slice(1).flatMap((size) => {
    const costs = measured[String(size)] ?? [];
    return Object.entries(costs[0] ?? {}).map(([name, sample]): Figure => {
      const base = name.replace(DEEP, FIRST_PAGE);
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
  return sample
    ? `${sample.trips} ${sample.trips === 1 ? 'trip' : 'trips'}, ${sample.read} rows read, ${sample.written} written`
    : '';
}
