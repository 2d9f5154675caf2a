/** What a list of credentials shows, and in which order. Pages of the console keep it in their address. */
import type { InferRequestType } from 'hono/client';
import type { ProductId } from '../../../db/products.ts';
import { PUBLIC_KEYS } from '../../../functions/shared/products.ts';
import type { accessKeyEndpoints, natsCredentials } from '../api/api.ts';

type AccessKeyQuery = InferRequestType<typeof accessKeyEndpoints.sqs.credentials.$get>['query'];
type NatsQuery = InferRequestType<typeof natsCredentials.$get>['query'];

/** The members of the API's query that a list chooses. */
export type ApiFilter = Pick<
  AccessKeyQuery & NatsQuery,
  | 'name'
  | 'access_key'
  | 'public_key'
  | 'status'
  | 'tags'
  | 'expires_before'
  | 'last_used_before'
  | 'created_before'
  | 'order_by'
>;

export const STATUSES = ['enabled', 'disabled', 'expired'] as const;

/** The orders of a list, and their labels. */
export const ORDERS = {
  created_at_desc: 'Newest first',
  created_at_asc: 'Oldest first',
  name_asc: 'Name, A to Z',
  name_desc: 'Name, Z to A',
  last_used_at_desc: 'Used most recently',
  last_used_at_asc: 'Not used for longest',
  expires_at_asc: 'Expires first',
} as const;

export type Order = keyof typeof ORDERS;

/** The periods, in days, that the form offers. An address can have others. */
export const PERIODS = [7, 14, 30, 90] as const;

/** Empty members restrict nothing. */
export interface ListQuery {
  /** A part of the name, or a whole public key. */
  search: string;
  status: '' | (typeof STATUSES)[number];
  /** Labels that the credentials all have. */
  tags: readonly string[];
  /** Shows those that have expired or expire within this number of days; 0 for all. */
  expires: number;
  /** Shows those that were not used for this number of days, or never; 0 for all. */
  unused: number;
  sort: Order;
}

export const EVERYTHING: ListQuery = {
  search: '',
  status: '',
  tags: [],
  expires: 0,
  unused: 0,
  sort: 'created_at_desc',
};

/** Returns whether a list leaves out some credentials. */
export function isFiltered({ search, status, tags, expires, unused }: ListQuery): boolean {
  return search !== '' || status !== '' || tags.length > 0 || expires > 0 || unused > 0;
}

/** Reads the query of a page: `?search=…&status=…&tag=…&tag=…&expires=DAYS&unused=DAYS&sort=…`. Ignores invalid values. */
export function readQuery(parameters: URLSearchParams): ListQuery {
  const text = (name: string) => parameters.get(name) ?? '';
  const days = (name: string) => (/^[1-9]\d{0,3}$/.test(text(name)) ? Number(text(name)) : 0);
  return {
    search: text('search').trim(),
    status: STATUSES.find((status) => status === text('status')) ?? '',
    tags: parameters.getAll('tag').filter(Boolean),
    expires: days('expires'),
    unused: days('unused'),
    sort: text('sort') in ORDERS ? (text('sort') as Order) : EVERYTHING.sort,
  };
}

/** Writes a query to an address: the opposite of {@link readQuery}. */
export function writeQuery({ searchParams: address }: URL, query: ListQuery): void {
  const { search, status, tags, expires, unused, sort } = query;
  const values = { search, status, tag: tags, expires, unused, sort: sort === EVERYTHING.sort ? '' : sort };
  for (const [name, value] of Object.entries(values)) {
    address.delete(name);
    for (const each of [value].flat()) if (each) address.append(name, `${each}`);
  }
}

/** Returns the query for the API's list of a product's credentials. */
export function apiFilter(product: ProductId, query: ListQuery, now: number): ApiFilter {
  const { search, status, tags, expires, unused, sort } = query;
  const days = (number: number) => new Date(now + number * 86_400_000).toISOString();
  return {
    order_by: sort,
    ...(search && keyOrName(product, search)),
    ...(status && { status }),
    ...(tags.length > 0 && { tags: [...tags] }),
    ...(expires > 0 && { expires_before: days(expires) }),
    // New credentials are not unused.
    ...(unused > 0 && { last_used_before: days(-unused), created_before: days(-unused) }),
  };
}

/** Keys are compared as a whole, names by a part. */
function keyOrName(product: ProductId, search: string): ApiFilter {
  if (!new RegExp(`^(${PUBLIC_KEYS[product]})$`).test(search)) return { name: search };
  return product === 'nats' ? { public_key: search } : { access_key: search };
}

/** Returns a filter in words, with the query without it. */
export function filtersOf(query: ListQuery): { label: string; without: ListQuery }[] {
  const { status, tags, expires, unused } = query;
  return [
    ...(status ? [{ label: capital(status), without: { ...query, status: '' } as ListQuery }] : []),
    ...tags.map((tag) => ({
      label: `Tag: ${tag}`,
      without: { ...query, tags: tags.filter((other) => other !== tag) },
    })),
    ...(expires
      ? [{ label: `Expired or expiring within ${expires} days`, without: { ...query, expires: 0 } }]
      : []),
    ...(unused ? [{ label: `Not used in ${unused} days`, without: { ...query, unused: 0 } }] : []),
  ];
}

export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
