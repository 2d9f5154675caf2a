/**
 * What comes back from the API: an answer, or the problem that stood in its place. Owns the sending; what a problem is
 * called is parse-error.ts's.
 */
import type { Problem } from './errors.ts';

/** See the file's description. */
export type Result<T> = { ok: true; body: T; headers: Headers } | { ok: false; problem: Problem };

/** The part of a response that is read: fetch's own and the typed client's both have it. */
export interface ApiResponse<T> {
  ok: boolean;
  status: number;
  headers: Headers;
  /** What was asked, so that a problem can name the region. */
  url: string;
  json(): Promise<T>;
}

/** Reads the problem that an answer stands for. */
export type ErrorParser = (status: number, headers: Headers, body: unknown, url?: string) => Promise<Problem>;

const parseApiError: ErrorParser = (...answer) =>
  import('./parse-error.ts').then((code) => code.parseError(...answer));

/**
 * Sends a request and reads its answer. Never rejects. A 204 has no body: undefined. `told` reads the problem of an API
 * that words its errors in another way.
 */
export async function fetchResult<T>(
  request: () => Promise<ApiResponse<T>>,
  parse = parseApiError,
): Promise<Result<T>> {
  try {
    const answer = await request();
    const body = answer.status === 204 ? (undefined as T) : legible(await answer.json());
    const { ok, headers, status, url } = answer;
    return ok ? { ok, body, headers } : { ok, problem: await parse(status, headers, body, url) };
  } catch (error) {
    const superseded = error instanceof DOMException && error.name === 'AbortError';
    return { ok: false, problem: { kind: superseded ? 'superseded' : 'unreachable' } };
  }
}

/** The characters that control text direction. The API takes none any more, but a name may be older than that. */
const DIRECTION = /\p{Bidi_Control}/gu;

/** A body in which nothing can turn around the sentence that it is shown in: what could is shown as U+FFFD. */
const legible = <T>(body: T): T => JSON.parse(JSON.stringify(body).replace(DIRECTION, '\ufffd'));

/** A part of a list, and how many items there are in all. */
export interface Slice<Item> {
  items: Item[];
  total: number;
}

/** The part of a query that names a page. */
export interface PageQuery {
  page: string;
  page_size: string;
}

/** The result of a list's request as a slice of the list. */
export async function sliceOf<Body extends { total_count: number }, Item>(
  request: () => Promise<ApiResponse<Body>>,
  itemsOf: (body: Body) => Item[],
): Promise<Result<Slice<Item>>> {
  const result = await fetchResult(request);
  if (!result.ok) return result;
  return { ...result, body: { items: itemsOf(result.body), total: result.body.total_count } };
}

/**
 * All items of a list that the API gives page by page; the first problem stands for the whole. For what there is to choose
 * from: a list that is shown asks for its pages one by one.
 */
export async function fetchAllPages<Body extends { total_count: number }, Item>(
  request: (query: { page: string; page_size: string }) => Promise<ApiResponse<Body>>,
  itemsOf: (body: Body) => Item[],
): Promise<Result<Item[]>> {
  const all: Item[] = [];
  for (let page = 1; ; page++) {
    const result = await fetchResult(() => request({ page: `${page}`, page_size: '100' }));
    if (!result.ok) return result;
    const items = itemsOf(result.body);
    all.push(...items);
    if (items.length === 0 || all.length >= result.body.total_count) return { ...result, body: all };
  }
}

/** Sends requests of which only the latest counts: each takes the place of the one before. */
export class LatestRequest {
  #request = new AbortController();

  /** As {@link ask}; the answer of a request that another has overtaken is the problem `superseded`. */
  fetchResult<T>(request: (init: RequestInit) => Promise<ApiResponse<T>>): Promise<Result<T>> {
    return fetchResult(() => request(this.#next()));
  }

  /** Does something of several requests; undefined when another has overtaken it. */
  async run<T>(work: (init: RequestInit) => Promise<T>): Promise<T | undefined> {
    const init = this.#next();
    const done = await work(init);
    return init.signal.aborted ? undefined : done;
  }

  #next(): { signal: AbortSignal } {
    this.#request.abort();
    this.#request = new AbortController();
    return { signal: this.#request.signal };
  }
}
