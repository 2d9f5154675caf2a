/** How leaked credentials are used, in use-stage.astro. */
import type { AccessKeyCredentials, NatsCredentials } from '../../api/api.ts';
import type { Problem } from '../../api/errors.ts';
import type { CredentialProductId } from '../../api/on-demand.ts';
import { copyOf, fill, find } from '../../ui/dom.ts';
import { pluralize } from '../../ui/pluralize.ts';
import { showTime } from '../../ui/time.ts';
import { countsRequests, readLastDay, totalOf, type Usage } from '../dialogs/recent-use.ts';

const HOUR_MS = 3_600_000;

/** Loads the use in the last day and shows it, unless `signal` is aborted before. Returns the problem, if any. */
export async function readUse(
  stage: HTMLElement,
  product: CredentialProductId,
  { id, region, disabled_at: disabled }: AccessKeyCredentials | NatsCredentials,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  const result = await readLastDay({ product, id, region }, signal);
  if (signal.aborted) return undefined;
  if (!result.ok) return result.problem;
  const usage = result.body;
  fill(stage, { total: totalOf(usage), denied: deniedSince(usage, disabled) });
  list(
    stage,
    'networks',
    usage.networks.map((one) => ({ ...one, who: one.network })),
  );
  list(
    stage,
    'names',
    usage.clients.map((one) => ({ ...one, who: one.name })),
  );
  return undefined;
}

/** Counts are per hour, so those of the hour in which the credentials were disabled are included. */
function deniedSince(usage: Usage, disabled: string | null): string {
  if (!disabled || !countsRequests(usage)) return '';
  const from = Math.floor(Date.parse(disabled) / HOUR_MS) * HOUR_MS;
  const denied = usage.buckets
    .filter(({ start }) => Date.parse(start) >= from)
    .reduce((sum, bucket) => sum + bucket.denied, 0);
  const since = new Date(from).toLocaleTimeString('en', { timeStyle: 'short' });
  return `${pluralize(denied, 'request')} denied since ${since}, the hour in which they were disabled.`;
}

interface Seen {
  who: string;
  requests?: number;
  connections?: number;
  last_seen_at: string;
}

function list(stage: HTMLElement, name: 'networks' | 'names', all: readonly Seen[]): void {
  const items = all.map(({ who, requests, connections = 0, last_seen_at }) => {
    const item = copyOf(find(stage, '[data-template="seen"]', HTMLTemplateElement));
    const count =
      requests === undefined ? pluralize(connections, 'connection') : pluralize(requests, 'request');
    fill(item, { who, count });
    showTime(find(item, 'time', HTMLTimeElement), last_seen_at);
    return item;
  });
  find(stage, `[data-list="${name}"]`, HTMLElement).replaceChildren(...items);
  find(stage, `[data-block="${name}"]`, HTMLElement).hidden = items.length === 0;
}
