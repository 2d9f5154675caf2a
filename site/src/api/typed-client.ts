/**
 * Sends the requests of the typed client: the types of Hono's `hc`, with less code. Paths are written as members, `:name`
 * is filled from `param`, and the method comes last: `.projects.$get({ query })`.
 */

interface Sent {
  header?: Record<string, string>;
  param?: Record<string, string>;
  query?: Record<string, string | string[]>;
  json?: unknown;
}

interface Options {
  init?: RequestInit;
}

/** Returns a client for this origin, below `path`. */
export function clientAt<Client>(path: readonly string[] = []): Client {
  return new Proxy(() => undefined, {
    get: (_target, member) => clientAt([...path, String(member)]),
    apply: (_target, _this, [sent, options]: [Sent?, Options?]) =>
      send(path.slice(0, -1), `${path.at(-1)}`.slice(1).toUpperCase(), sent, options),
  }) as Client;
}

function send(
  path: readonly string[],
  method: string,
  { header, param = {}, query, json }: Sent = {},
  { init }: Options = {},
): Promise<Response> {
  const parts = path.map((part) =>
    part.startsWith(':') ? encodeURIComponent(param[part.slice(1)] ?? '') : part,
  );
  const search = query ? `?${new URLSearchParams(pairsOf(query))}` : '';
  return fetch(`/${parts.join('/')}${search}`, {
    method,
    ...(json !== undefined && { body: JSON.stringify(json) }),
    headers: { ...(json !== undefined && { 'Content-Type': 'application/json' }), ...header },
    ...init,
  });
}

/** Repeats members that have several values. */
const pairsOf = (query: Record<string, string | string[]>) =>
  Object.entries(query).flatMap(([name, value]) => [value].flat().map((each) => [name, each]));
