/** Sends requests and returns their result: a body or a problem. */
import type { Problem } from './errors.ts';

export type Result<T> = { ok: true; body: T; headers: Headers } | { ok: false; problem: Problem };

/** The members that fetch's responses and the typed client's have in common. */
export interface ApiResponse<T> {
  ok: boolean;
  status: number;
  headers: Headers;
  /** The URL of the request. Problems name its region. */
  url: string;
  json(): Promise<T>;
}

export type ErrorParser = (status: number, headers: Headers, body: unknown, url?: string) => Promise<Problem>;

const parseApiError: ErrorParser = (...answer) =>
  import('./parse-error.ts').then((code) => code.parseError(...answer));

/**
 * Sends a request and reads the response. Never rejects. The body of a 204 is undefined. `parse` reads problems of other
 * APIs.
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

/** Characters that control text direction. The API rejects them in new names. */
const DIRECTION = /\p{Bidi_Control}/gu;

/** Replaces such characters with U+FFFD, so that a name cannot reverse the sentence around it. */
const legible = <T>(body: T): T => JSON.parse(JSON.stringify(body).replace(DIRECTION, '\ufffd'));

/** A page of a list, and the number of items in the whole list. */
export interface Slice<Item> {
  items: Item[];
  total: number;
}

export interface PageQuery {
  page: string;
  page_size: string;
}

/** Requests a page of a list. */
export async function sliceOf<Body extends { total_count: number }, Item>(
  request: () => Promise<ApiResponse<Body>>,
  itemsOf: (body: Body) => Item[],
): Promise<Result<Slice<Item>>> {
  const result = await fetchResult(request);
  if (!result.ok) return result;
  return { ...result, body: { items: itemsOf(result.body), total: result.body.total_count } };
}

/**
 * Requests all pages of a list, one after another, and returns the items or the first problem. For drop-downs; visible
 * lists load page by page.
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

/** Sends requests and aborts the previous one each time. */
export class LatestRequest {
  #request = new AbortController();

  /** Like {@link fetchResult}. If a newer request replaces this one, the result is the problem `superseded`. */
  fetchResult<T>(request: (init: RequestInit) => Promise<ApiResponse<T>>): Promise<Result<T>> {
    return fetchResult(() => request(this.#next()));
  }

  /** Runs work that sends several requests. Returns undefined if newer work has replaced it. */
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
