import type { PageQuery, Result, Slice } from '../../api/request.ts';

/** Loads the pages `first` to `last` of a list, or returns the first problem. */
export async function readPages<Item>(
  first: number,
  last: number,
  read: (query: PageQuery) => Promise<Result<Slice<Item>>>,
): Promise<Result<Slice<Item>>> {
  // Load this at the same time as the data.
  void import('./rows.ts').catch(() => undefined);
  if (first === last) return read({ page: `${last}`, page_size: '50' });
  return import('./reloaded-rows.ts').then((code) => code.readAll(last, read));
}
