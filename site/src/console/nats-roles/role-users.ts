/** Finds the credentials with a role, and counts their connections. */
import { type NatsCredentials, natsCredentials } from '../../api/api.ts';
import { sentence } from '../../api/errors.ts';
import type { NatsRole } from '../../api/on-demand.ts';
import { fetchResult, type Result } from '../../api/request.ts';
import { credentialPage } from '../../credentials/permalink.ts';
import { fill, find } from '../../ui/dom.ts';
import { pluralize } from '../../ui/pluralize.ts';

/** The number of credentials to name, and to count the connections of. Each count asks every server. */
const SHOWN = 10;

interface Users {
  credentials: NatsCredentials[];
  total: number;
}

/** Requests the first credentials with a role, and the number of all of them. */
async function usersOf({ id, region }: NatsRole, init: RequestInit): Promise<Result<Users>> {
  const query = { nats_role_id: id, order_by: 'created_at_desc', page_size: `${SHOWN}` } as const;
  const result = await fetchResult(() => natsCredentials.$get({ param: { region }, query }, { init }));
  if (!result.ok) return result;
  const { nats_credentials: credentials, total_count: total } = result.body;
  return { ...result, body: { credentials, total } };
}

const use = (total: number) =>
  `${pluralize(total, 'set')} of credentials ${total === 1 ? 'uses' : 'use'} this role`;

/** Shows which credentials prevent that a role is deleted, unless `signal` is aborted before. */
export async function showUsers(root: ParentNode, role: NatsRole, signal: AbortSignal): Promise<void> {
  const list = find(root, '[data-list="users"]', HTMLElement);
  list.replaceChildren();
  fill(root, { users: 'Loading the credentials with this role…' });
  const result = await usersOf(role, { signal });
  if (signal.aborted) return;
  if (!result.ok) {
    const why = sentence(result.problem, 'list');
    return fill(root, { users: `The credentials with this role could not be listed. ${why}` });
  }
  const { credentials, total } = result.body;
  const rest = total > credentials.length ? ` The newest ${credentials.length} are:` : '';
  const text = `${use(total)}, so it cannot be deleted. Revoke them first.${rest}`;
  fill(root, { users: total === 0 ? 'No credentials use this role.' : text });
  list.append(
    ...credentials.map((entry) => {
      const item = document.createElement('li');
      const link = document.createElement('a');
      link.href = credentialPage('nats', entry);
      link.textContent = entry.name;
      link.dir = 'auto';
      item.append(link, entry.status === 'enabled' ? '' : ` (${entry.status})`);
      return item;
    }),
  );
}

/** Shows how many connections a change of a role closes, unless `signal` is aborted before. */
export async function showEffect(root: ParentNode, role: NatsRole, signal: AbortSignal): Promise<void> {
  fill(root, { effect: 'Counting the open connections with this role…' });
  const text = await effectOf(role, { signal });
  if (!signal.aborted) fill(root, { effect: text });
}

async function effectOf(role: NatsRole, init: RequestInit): Promise<string> {
  const result = await usersOf(role, init);
  if (!result.ok)
    return `The credentials with this role could not be listed. ${sentence(result.problem, 'list')}`;
  const { credentials, total } = result.body;
  if (total === 0) return 'No credentials use this role.';
  const param = { region: role.region };
  const counts = await Promise.all(
    credentials.map(({ id }) =>
      fetchResult(() =>
        natsCredentials[':credentials_id'].connections.$get(
          { param: { ...param, credentials_id: id } },
          { init },
        ),
      ),
    ),
  );
  let open = 0;
  let complete = total === credentials.length;
  for (const count of counts) {
    if (count.ok) open += count.body.connections.length;
    complete &&= count.ok && !count.body.truncated && count.body.servers_answered === count.body.servers;
  }
  const least = complete ? '' : 'at least ';
  return `${use(total)}, with ${least}${pluralize(open, 'open connection')}.`;
}
