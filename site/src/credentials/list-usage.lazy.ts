/** Fills in the column with the usage of credentials in the last day. Loaded when the column is in view. */
import { type CredentialProductId, usageEndpoints } from '../api/on-demand.ts';
import { fetchResult } from '../api/request.ts';
import { pluralize } from '../ui/pluralize.ts';

/** The most credentials in one request (MAX_CREDENTIALS of the API). */
const MOST = 100;

type Usage = { credentials_id: string } & (
  | { requests: number }
  | { connections: number; messages_in: number; messages_out: number }
);

/** Fills in the cells that have no usage yet, with one request for each 100 rows. */
export async function fillUsage(panel: HTMLElement, region: string): Promise<void> {
  const cells = [...panel.querySelectorAll<HTMLElement>('[data-usage=""]')];
  for (const cell of cells) cell.dataset.usage = 'requested';
  for (let at = 0; at < cells.length; at += MOST)
    await fillSome(panel.dataset.product as CredentialProductId, region, cells.slice(at, at + MOST));
}

async function fillSome(
  product: CredentialProductId,
  region: string,
  cells: readonly HTMLElement[],
): Promise<void> {
  const ids = cells.map((cell) => cell.closest<HTMLElement>('[data-id]')?.dataset.id ?? '');
  const request = { param: { region }, query: { credentials_id: ids } };
  const result = await fetchResult<{ usage: Usage[] }>(() => usageEndpoints[product].$get(request));
  const usage = new Map(
    result.ok ? result.body.usage.map((entry): [string, Usage] => [entry.credentials_id, entry]) : [],
  );
  for (const [at, cell] of cells.entries()) {
    const entry = usage.get(ids[at] ?? '');
    cell.textContent = entry ? textOf(entry) : 'unknown';
  }
}

function textOf(usage: Usage): string {
  const number = (count: number) => count.toLocaleString('en');
  if ('requests' in usage) return number(usage.requests);
  const { connections, messages_in, messages_out } = usage;
  const messages = messages_in + messages_out;
  if (connections === 0 && messages === 0) return 'none';
  return `${pluralize(connections, 'connection')}, ${number(messages)} message${messages === 1 ? '' : 's'}`;
}
