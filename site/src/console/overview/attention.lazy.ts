/** The credentials of a project in a region that need attention: those that expire soon, and those that are not used. */

import type { ProductId } from '../../../../db/products.ts';
import { accessKeyEndpoints, type NatsCredentials, natsAccounts, natsCredentials } from '../../api/api.ts';
import { type ApiResponse, fetchAllPages, fetchResult } from '../../api/request.ts';
import type { AccessKeyProductId } from '../../credentials/access-key/products.ts';
import { find } from '../../ui/dom.ts';
import type { ProjectRegion } from '../../workspace/project-region-fields.ts';
import { accountPage } from '../../workspace/selection.ts';

export interface Notice {
  text: string;
  /** The list, filtered to the credentials of the notice. */
  href: string;
}

const DAY_MS = 86_400_000;

/** The conditions that a notice is about. */
const CONDITIONS = [
  {
    words: (count: number) => `${count === 1 ? 'expires' : 'expire'} within 14 days`,
    filter: () =>
      ({ status: 'enabled', expires_before: new Date(Date.now() + 14 * DAY_MS).toISOString() }) as const,
    /** The same condition in the address of a list. */
    address: { status: 'enabled', expires: '14' },
  },
  {
    words: (count: number) => `${count === 1 ? 'was' : 'were'} not used in the last 90 days`,
    filter: () => {
      const before = new Date(Date.now() - 90 * DAY_MS).toISOString();
      return { last_used_before: before, created_before: before } as const;
    },
    address: { unused: '90' },
  },
];

type Condition = (typeof CONDITIONS)[number];

/**
 * Returns the notices. Leaves out those that cannot be read, because the linked pages show why. `root` has a link to the page
 * of each product.
 */
export async function readNotices(root: ParentNode, selection: ProjectRegion): Promise<Notice[]> {
  const reads: Record<ProductId, (condition: Condition) => Promise<Notice[]>> = {
    nats: (condition) => readNats(selection, condition),
    sqs: (condition) => readAccessKeys(root, 'sqs', selection, condition),
    sns: (condition) => readAccessKeys(root, 'sns', selection, condition),
  };
  const pairs = CONDITIONS.flatMap((condition) => Object.values(reads).map((read) => read(condition)));
  return (await Promise.all(pairs)).flat();
}

const sets = (count: number) => `${count} ${count === 1 ? 'set' : 'sets'} of credentials`;

async function readAccessKeys(
  root: ParentNode,
  product: AccessKeyProductId,
  { region, project }: ProjectRegion,
  { words, filter, address }: Condition,
): Promise<Notice[]> {
  const query = { project_id: project, page_size: '1', ...filter() };
  const result = await fetchResult(
    (): Promise<ApiResponse<{ total_count: number }>> =>
      accessKeyEndpoints[product].credentials.$get({ param: { region }, query }),
  );
  const count = result.ok ? result.body.total_count : 0;
  if (count === 0) return [];
  const link = find(root, `[data-product="${product}"]`, HTMLAnchorElement);
  const parameters = new URLSearchParams({ region, project, ...address });
  return [
    {
      text: `${sets(count)} for ${link.textContent} ${words(count)}`,
      href: `${link.pathname}?${parameters}#credentials`,
    },
  ];
}

/** NATS credentials are listed by account. */
async function readNats(
  { region, project }: ProjectRegion,
  { words, filter, address }: Condition,
): Promise<Notice[]> {
  const found = await fetchAllPages(
    (page) =>
      natsCredentials.$get({ param: { region }, query: { project_id: project, ...filter(), ...page } }),
    (body) => body.nats_credentials,
  );
  const byAccount = Map.groupBy(found.ok ? found.body : [], (one: NatsCredentials) => one.nats_account_id);
  const notices = [...byAccount].map(async ([id, { length: count }]) => {
    const account = await fetchResult(() =>
      natsAccounts[':nats_account_id'].$get({ param: { region, nats_account_id: id } }),
    );
    const name = account.ok ? account.body.name : id;
    return {
      text: `${sets(count)} of the NATS account ${name} ${words(count)}`,
      href: `${accountPage(region, id)}&${new URLSearchParams(address)}`,
    };
  });
  return Promise.all(notices);
}
