/** Reads the pages of a list that a panel shows. */
import type { PageQuery, Result, Slice } from '../../api/request.ts';

/** Reads the pages `first` to `last` of a list; the first problem stands for the whole. */
export async function readPages<Item>(
  first: number,
  last: number,
  read: (query: PageQuery) => Promise<Result<Slice<Item>>>,
): Promise<Result<Slice<Item>>> {
  // Needed once there is a response, so not after it.
  void import('./rows.ts').catch(() => undefined);
  if (first === last) return read({ page: `${last}`, page_size: '50' });
  return import('./reloaded-rows.ts').then((code) => code.readAll(last, read));
}
