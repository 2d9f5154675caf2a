/** Fills in recent-use.astro. */
import type { InferResponseType } from 'hono/client';
import { type CredentialProductId, credentialEndpoints } from '../../api/api.ts';
import { sentence } from '../../api/errors.ts';
import { fetchResult } from '../../api/request.ts';
import { fill } from '../../ui/dom.ts';
import { pluralize } from '../../ui/pluralize.ts';
import { showConnected } from '../nats/connected-clients.ts';
import { showLastUsed } from './last-used.ts';
import type { Subject } from './subject.ts';

type Usage = InferResponseType<(typeof credentialEndpoints)[CredentialProductId]['usage']['$get'], 200>;

/** The number of networks and clients to name. More are only counted. */
const NAMED = 2;

/** Loads how credentials are used and shows it under `root`, unless `signal` is aborted before. */
export function showRecentUse(root: ParentNode, subject: Subject, signal: AbortSignal): void {
  if (subject.product === 'nats') void showConnected(root, subject.credentials, signal);
  else showLastUsed(root, subject.credentials.last_used_at);
  void showLastDay(root, subject, signal);
}

async function showLastDay(
  root: ParentNode,
  { product, credentials: { id, region } }: Subject,
  signal: AbortSignal,
): Promise<void> {
  fill(root, { last_day: 'Loading their use in the last day…' });
  const request = { param: { region, credentials_id: id }, query: { period: 'day' } } as const;
  const result = await fetchResult<Usage>(() =>
    credentialEndpoints[product].usage.$get(request, { init: { signal } }),
  );
  if (signal.aborted) return;
  fill(root, {
    last_day: result.ok
      ? summary(result.body)
      : `Their use in the last day could not be loaded. ${sentence(result.problem, 'list')}`,
  });
}

function summary(usage: Usage): string {
  const names = [
    list(
      'Networks',
      usage.networks.map(({ network }) => network),
    ),
  ];
  names.push(
    list(
      'Clients',
      usage.clients.map(({ name }) => name),
    ),
  );
  return [count(usage), ...names].filter(Boolean).join(' ');
}

function count({ buckets }: Usage): string {
  const total = (of: (bucket: Usage['buckets'][number]) => number) =>
    (buckets as Usage['buckets'][number][]).reduce((sum, bucket) => sum + of(bucket), 0);
  const requests = total((bucket) =>
    'requests' in bucket ? Object.values(bucket.requests).reduce((sum, each) => sum + each, 0) : 0,
  );
  const denied = total((bucket) => ('denied' in bucket ? bucket.denied : 0));
  if (requests > 0) {
    const refused = denied > 0 ? `, of which ${denied} ${denied === 1 ? 'was' : 'were'} denied` : '';
    return `${pluralize(requests, 'request')} in the last day${refused}.`;
  }
  const connections = Math.max(
    0,
    ...buckets.map((bucket) => ('connections' in bucket ? bucket.connections : 0)),
  );
  if (connections > 0) {
    const sent = total((bucket) => ('messages_in' in bucket ? bucket.messages_in : 0));
    const received = total((bucket) => ('messages_out' in bucket ? bucket.messages_out : 0));
    return `In the last day, at most ${pluralize(connections, 'connection')} at once, which sent ${pluralize(sent, 'message')} and received ${received}.`;
  }
  return 'No use in the last day was recorded.';
}

function list(label: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const rest = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${label}: ${names.slice(0, NAMED).join(', ')}${rest}.`;
}
