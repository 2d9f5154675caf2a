/** Shows problems of a region's nats-servers in account-overview.astro. */
import type { InferResponseType } from 'hono/client';
import { natsServers } from '../../api/on-demand.ts';
import { fetchResult } from '../../api/request.ts';
import { fill, find } from '../../ui/dom.ts';
import { pluralize } from '../../ui/pluralize.ts';

type Servers = InferResponseType<typeof natsServers.$get, 200>;

/** Requests of this page, by region. */
const asked = new Map<string, ReturnType<typeof askFor>>();

const askFor = (region: string) => fetchResult(() => natsServers.$get({ param: { region } }));

/** Shows a notice under `root` if a server of the region has an unsupported version or does not reply. */
export async function showServerNotice(root: HTMLElement, region: string): Promise<void> {
  const notice = find(root, '[data-block="servers"]', HTMLElement);
  notice.hidden = true;
  notice.dataset.region = region;
  const asking = asked.get(region) ?? askFor(region);
  asked.set(region, asking);
  const result = await asking;
  if (notice.dataset.region !== region || !result.ok) return;
  const text = problemsOf(result.body).join(' ');
  fill(notice, { servers: text });
  notice.hidden = text === '';
}

function problemsOf({ nats_servers: servers, total_count: total }: Servers): string[] {
  const old = servers.filter(({ supported }) => supported === false);
  const silent = total - servers.filter(({ state }) => state === 'replied').length;
  const problems = old.map(({ name, version, faults }) => {
    const known = faults.map(({ summary }) => summary).join(' ');
    return `${name} runs nats-server ${version}, which is not supported. ${known}`.trim();
  });
  if (silent > 0) {
    problems.push(
      `${silent} of ${pluralize(total, 'server')} ${silent === 1 ? 'does' : 'do'} not reply: revocations stay pending until all have confirmed.`,
    );
  }
  return problems;
}
