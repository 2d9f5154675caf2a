/** The usage of the credentials on the page: charts, and the numbers behind them. See usage-panel.astro. */

import type { InferResponseType } from 'hono/client';
import { type CredentialProductId, credentialEndpoints } from '../../api/on-demand.ts';
import { type ApiResponse, LatestRequest } from '../../api/request.ts';
import { barChart } from '../../ui/bar-chart.ts';
import { fill, find } from '../../ui/dom.ts';
import { Panel } from '../../ui/panels/panel.ts';
import { showTime } from '../../ui/time.ts';
import type { Credentials } from './credential-page.ts';

type RequestUsage = InferResponseType<typeof credentialEndpoints.sqs.usage.$get, 200>;
type ConnectionUsage = InferResponseType<typeof credentialEndpoints.nats.usage.$get, 200>;
type Usage = RequestUsage | ConnectionUsage;
/** The latest use of credentials. */
export type LastUse = NonNullable<Usage['last_used']>;
type Period = 'day' | 'week' | 'month';

const PERIOD_NAMES: Record<Period, string> = {
  day: 'the last day',
  week: 'the last week',
  month: 'the last 30 days',
};

/** A line of numbers over the buckets. `kind` is the class of its color. */
interface Series {
  label: string;
  kind: string;
  values: number[];
  /** Whether the number for the period is the highest value, not the sum. */
  most?: boolean;
}

interface Chart {
  title: string;
  series: Series[];
}

export class UsagePanel extends Panel {
  readonly #owner: HTMLElement;
  readonly #latest = new LatestRequest();
  #credentials: Credentials | undefined;
  #period: Period = 'day';

  readonly #describeLastUse: (last: LastUse) => void;

  /** `describeLastUse` shows the latest use elsewhere on the page. */
  constructor(owner: HTMLElement, describeLastUse: (last: LastUse) => void) {
    super(owner, 'usage');
    this.#owner = owner;
    this.#describeLastUse = describeLastUse;
    this.on('retry', () => this.#read());
    for (const button of this.root.querySelectorAll<HTMLElement>('[data-period]')) {
      button.addEventListener('click', () => this.#choose(button.dataset.period as Period));
    }
  }

  async load(credentials: Credentials, _organization: string | undefined, quiet: boolean): Promise<void> {
    this.root.hidden = false;
    this.#credentials = credentials;
    await this.#read(quiet);
  }

  #choose(period: Period): void {
    this.#period = period;
    for (const button of this.root.querySelectorAll<HTMLElement>('[data-period]')) {
      button.ariaPressed = `${button.dataset.period === period}`;
    }
    void this.#read();
  }

  async #read(quiet = false): Promise<void> {
    const credentials = this.#credentials;
    if (!credentials) return;
    this.await();
    const request = {
      param: { region: credentials.region, credentials_id: credentials.id },
      query: { period: this.#period },
    };
    const product = this.#owner.dataset.product as CredentialProductId;
    const result = await this.#latest.fetchResult(
      (init): Promise<ApiResponse<Usage>> => credentialEndpoints[product].usage.$get(request, { init }),
    );
    if (!result.ok) return this.fail(result.problem, quiet);
    if (result.body.last_used) this.#describeLastUse(result.body.last_used);
    this.#render(result.body);
  }

  #render(usage: Usage): void {
    const charts =
      'requests' in (usage.buckets[0] ?? {})
        ? requestCharts(usage as RequestUsage)
        : connectionCharts(usage as ConnectionUsage);
    const unused = charts.every(({ series }) =>
      series.every(({ values }) => values.every((value) => value === 0)),
    );
    if (unused) {
      fill(this.root, { unused: `These credentials were not used in ${PERIOD_NAMES[this.#period]}.` });
      this.show('empty');
      return;
    }
    const starts = usage.buckets.map(({ start }) => this.#startOf(start));
    this.#list(
      'charts',
      charts.map((chart) => this.#figure(chart, starts)),
    );
    const series = charts.flatMap((chart) => chart.series);
    this.#list(
      'columns',
      ['Start', ...series.map(({ label }) => label)].map((text) => cell('th', text, 'col')),
    );
    this.#list(
      'numbers',
      starts.map((start, at) =>
        tableRow(
          start,
          series.map(({ values }) => count(values[at])),
        ),
      ),
    );
    if ('requests' in (usage.buckets[0] ?? {})) this.#list('actions', actionRows(usage as RequestUsage));
    this.#list(
      'networks',
      usage.networks.map((one) => seenRow(one.network, one)),
    );
    this.#list(
      'clients',
      usage.clients.map((one) => seenRow(one.name, one)),
    );
    this.show('ready');
  }

  #figure({ title, series }: Chart, starts: string[]): HTMLElement {
    const figure = this.copy('chart');
    const bars = starts.map((start, at) => ({
      label: `${start}: ${series.map(({ label, values }) => `${label.toLowerCase()} ${count(values[at])}`).join(', ')}`,
      values: series.map(({ values }) => values[at] ?? 0),
    }));
    const sums = series.map((one) => `${one.label.toLowerCase()} ${count(total(one))}`).join(', ');
    const { svg, top } = barChart(
      bars,
      series.map(({ kind }) => kind),
      `${title} in ${PERIOD_NAMES[this.#period]}: ${sums}`,
    );
    find(figure, '.plot', HTMLElement).append(svg);
    const middle = starts[Math.floor(starts.length / 2)] ?? '';
    fill(figure, { title, top: `up to ${count(top)}`, from: starts[0] ?? '', middle });
    find(figure, '.legend', HTMLElement).append(
      ...series.map((one) => {
        const item = this.copy('series');
        fill(item, { series: one.label, sum: count(total(one)) });
        find(item, '.swatch', HTMLElement).classList.add(one.kind);
        return item;
      }),
    );
    return figure;
  }

  /** Returns the start of a bucket, in UTC like the bucket. */
  #startOf(iso: string): string {
    return new Date(iso).toLocaleString('en', {
      timeZone: 'UTC',
      month: 'short',
      day: 'numeric',
      ...(this.#period !== 'month' && { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
    });
  }

  #list(name: string, nodes: Node[]): void {
    find(this.root, `[data-list="${name}"]`, HTMLElement).replaceChildren(...nodes);
  }
}

function requestCharts({ buckets }: RequestUsage): Chart[] {
  const of = (which: 'denied' | 'throttled' | 'failed') => buckets.map((bucket) => bucket[which]);
  const succeeded = buckets.map(
    ({ requests, denied, throttled, failed }) => sum(Object.values(requests)) - denied - throttled - failed,
  );
  return [
    {
      title: 'Requests',
      series: [
        { label: 'Succeeded', kind: 'done', values: succeeded },
        { label: 'Failed', kind: 'failed', values: of('failed') },
        { label: 'Throttled', kind: 'throttled', values: of('throttled') },
        { label: 'Denied', kind: 'denied', values: of('denied') },
      ],
    },
  ];
}

function connectionCharts({ buckets }: ConnectionUsage): Chart[] {
  return [
    {
      title: 'Connections',
      series: [
        { label: 'Most at once', kind: 'done', values: buckets.map((one) => one.connections), most: true },
      ],
    },
    {
      title: 'Messages',
      series: [
        { label: 'From clients', kind: 'done', values: buckets.map((one) => one.messages_in) },
        { label: 'To clients', kind: 'second', values: buckets.map((one) => one.messages_out) },
      ],
    },
  ];
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

const total = ({ values, most }: Series) => (most ? Math.max(...values) : sum(values));

const count = (value = 0) => value.toLocaleString('en');

/** Returns the rows of the actions, the most frequent first. */
function actionRows({ buckets }: RequestUsage): HTMLElement[] {
  const sums = new Map<string, number>();
  for (const { requests } of buckets) {
    for (const [action, number] of Object.entries(requests))
      sums.set(action, (sums.get(action) ?? 0) + number);
  }
  return [...sums].sort(([, a], [, b]) => b - a).map(([action, number]) => tableRow(action, [count(number)]));
}

function seenRow(
  name: string,
  one: { last_seen_at: string } & ({ requests: number } | { connections: number }),
): HTMLElement {
  const row = tableRow(name, [count('requests' in one ? one.requests : one.connections)]);
  const time = document.createElement('time');
  showTime(time, one.last_seen_at);
  const seen = document.createElement('td');
  seen.append(time);
  row.append(seen);
  return row;
}

function tableRow(heading: string, texts: string[]): HTMLElement {
  const row = document.createElement('tr');
  row.append(cell('th', heading, 'row'), ...texts.map((text) => cell('td', text)));
  return row;
}

function cell(tag: 'th' | 'td', text: string, scope = ''): HTMLElement {
  const node = document.createElement(tag);
  node.textContent = text;
  node.dir = 'auto';
  if (scope) node.setAttribute('scope', scope);
  return node;
}
