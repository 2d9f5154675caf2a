/** Fills in connected-clients.astro. */
import type { InferResponseType } from 'hono/client';
import { type NatsCredentials, natsCredentials } from '../../api/api.ts';
import { type Problem, sentence } from '../../api/errors.ts';
import { fetchResult } from '../../api/request.ts';
import { copyOf, fill, find } from '../../ui/dom.ts';
import { pluralize } from '../../ui/pluralize.ts';
import { showTime } from '../../ui/time.ts';

const endpoint = natsCredentials[':credentials_id'].connections;
type ConnectionsResponse = InferResponseType<typeof endpoint.$get, 200>;
type Client = ConnectionsResponse['connections'][number];

/** The number of clients to list. More are only counted. */
const SHOWN = 5;

/** Returns why the clients are unknown. */
function unknown(problem: Problem): string {
  switch (problem.kind) {
    case 'gone':
      return 'These credentials no longer exist. They may have been revoked in another tab, or by someone else.';
    case 'down':
      return 'Connected clients could not be listed: the servers did not respond in time. You can continue. Each server enforces the change as soon as it receives it.';
    default:
      return `Connected clients could not be listed. ${sentence(problem, 'list')}`;
  }
}

/** Loads the connected clients and shows them under `root`, unless `signal` is aborted before. */
export async function showConnected(
  root: ParentNode,
  { id, region }: NatsCredentials,
  signal: AbortSignal,
): Promise<void> {
  const part = find(root, '[data-block="connected"]', HTMLElement);
  showClients(part, 'Loading connected clients…', []);
  part.ariaBusy = 'true';
  const result = await fetchResult(() =>
    endpoint.$get({ param: { region, credentials_id: id } }, { init: { signal } }),
  );
  if (signal.aborted) return;
  part.ariaBusy = 'false';
  if (!result.ok) return showClients(part, unknown(result.problem), []);
  const { connections, servers } = result.body;
  const items = connections.slice(0, SHOWN).map((client) => item(part, client, servers > 1));
  showClients(part, summary(result.body), items);
}

function summary({
  connections,
  servers,
  servers_answered: answered,
  truncated,
}: ConnectionsResponse): string {
  const count = connections.length;
  const rest = count > SHOWN ? `, of which ${SHOWN} are shown` : '';
  const known =
    count === 0
      ? 'No clients are connected with these credentials.'
      : `${pluralize(count, 'client')} ${count === 1 ? 'is' : 'are'} connected with these credentials now${rest}.`;
  if (answered < servers) {
    return `${known} Only ${answered} of ${pluralize(servers, 'server')} responded, so there may be more.`;
  }
  return truncated
    ? `${known} There may be more: a server reports at most 256 connections of an account.`
    : known;
}

function item(part: HTMLElement, client: Client, several: boolean): HTMLElement {
  const copy = copyOf(find(part, '[data-template="client"]', HTMLTemplateElement));
  const about = [client.client, several ? client.server : ''].filter(Boolean);
  fill(copy, { address: client.address, about: about.map((word) => `${word}, `).join('') });
  showTime(find(copy, 'time', HTMLTimeElement), client.last_activity_at);
  return copy;
}

function showClients(part: HTMLElement, text: string, items: HTMLElement[]): void {
  fill(part, { connected: text });
  const list = find(part, '[data-list="clients"]', HTMLElement);
  list.replaceChildren(...items);
  list.hidden = items.length === 0;
}
