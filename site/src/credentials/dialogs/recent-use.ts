/** Fills in recent-use.astro. */
import type { InferResponseType } from 'hono/client';
import { sentence } from '../../api/errors.ts';
import { type CredentialProductId, credentialEndpoints } from '../../api/on-demand.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { fill } from '../../ui/dom.ts';
import { pluralize } from '../../ui/pluralize.ts';
import { showConnected } from '../nats/connected-clients.ts';
import { showLastUsed } from './last-used.ts';
import type { Subject } from './subject.ts';

type UsageOf<Id extends CredentialProductId> = InferResponseType<
  (typeof credentialEndpoints)[Id]['usage']['$get'],
  200
>;
export type RequestUsage = UsageOf<'sqs'>;
export type ConnectionUsage = UsageOf<'nats'>;
export type Usage = RequestUsage | ConnectionUsage;

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
  const result = await readLastDay({ product, id, region }, signal);
  if (signal.aborted) return;
  // The connections of NATS credentials report that.
  if (!result.ok && result.problem.kind === 'gone' && product === 'nats') return fill(root, { last_day: '' });
  fill(root, {
    last_day: result.ok
      ? summary(result.body)
      : `Their use in the last day could not be loaded. ${sentence(result.problem, 'list')}`,
  });
}

/** Requests the use of credentials in the last day. */
export function readLastDay(
  { product, id, region }: { product: CredentialProductId; id: string; region: string },
  signal: AbortSignal,
): Promise<Result<Usage>> {
  const request = { param: { region, credentials_id: id }, query: { period: 'day' } } as const;
  return fetchResult<Usage>(() => credentialEndpoints[product].usage.$get(request, { init: { signal } }));
}

function summary(usage: Usage): string {
  const networks = usage.networks.map(({ network }) => network);
  const clients = usage.clients.map(({ name }) => name);
  return [totalOf(usage), list('Networks', networks), list('Clients', clients)].filter(Boolean).join(' ');
}

/** Returns whether this is the use of access keys. */
export const countsRequests = (usage: Usage): usage is RequestUsage => 'denied' in (usage.buckets[0] ?? {});

/** Returns how much credentials were used, in a sentence. */
export const totalOf = (usage: Usage): string =>
  countsRequests(usage) ? requestsIn(usage) : connectionsIn(usage);

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

function requestsIn({ buckets }: RequestUsage): string {
  const requests = sum(buckets.flatMap((bucket) => Object.values(bucket.requests)));
  const denied = sum(buckets.map((bucket) => bucket.denied));
  if (requests === 0) return 'No requests in the last day.';
  const refused = denied > 0 ? `, of which ${denied} ${denied === 1 ? 'was' : 'were'} denied` : '';
  return `${pluralize(requests, 'request')} in the last day${refused}.`;
}

function connectionsIn({ buckets }: ConnectionUsage): string {
  const most = Math.max(0, ...buckets.map(({ connections }) => connections));
  if (most === 0) return 'Samples of the last day, one every five minutes, show no connections.';
  const sent = sum(buckets.map((bucket) => bucket.messages_in));
  const received = sum(buckets.map((bucket) => bucket.messages_out));
  return `In the last day, at most ${pluralize(most, 'connection')} at once. Messages: ${sent} sent, ${received} received.`;
}

function list(label: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const rest = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${label}: ${names.slice(0, NAMED).join(', ')}${rest}.`;
}
