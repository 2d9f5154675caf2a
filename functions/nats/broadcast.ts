/**
 * Collects the responses to one request to all servers of a region: which servers have sent an accepted one, and
 * which are missing. system.ts makes the connections.
 */
import type { NatsClient, Reply } from './client.ts';

/** The parts of a server's answer that are used. */
export interface ServerResponse {
  server?: { id: string; name: string; ver?: string; time?: string };
  statsz?: { active_servers?: number };
  data?: {
    code?: number;
    accounts?: string[];
    account_detail?: { jwt?: string };
    connections?: RawConnection[] | null;
    total?: number;
  };
  error?: { code: number; description: string };
}

/** A connection in an answer. */
export interface RawConnection {
  ip?: string;
  port?: number;
  name?: string;
  start: string;
  last_activity: string;
  authorized_user?: string;
  cid?: number;
  in_msgs?: number;
  out_msgs?: number;
  /** The client's library and its version. */
  lang?: string;
  version?: string;
}

/** The outcome of a broadcast. */
export interface BroadcastResult {
  /** Server id → its answer. */
  responses: Map<string, ServerResponse>;
  /**
   * Number of servers: the largest number of active servers that any server reports, and at least all that replied, are
   * configured, or could not be reached at their address.
   */
  servers: number;
  /** Servers without an accepted answer: the name or address of each, or how many are not known by name. */
  missing: string[];
  /** Configured address → id of its server; undefined if it cannot be reached. */
  addresses: Map<string, string | undefined>;
}

/** The number of active servers, from the replies on one connection. */
export interface ServerCount {
  /** When the servers were asked, in milliseconds since the epoch. */
  at: number;
  /** The largest number that a server reports; 0 before the first reply. */
  active: number;
  /** Server id → name. */
  replied: Map<string, string>;
  stop: () => void;
}

/** A connection on which the request was sent. */
interface View {
  client: NatsClient;
  count: ServerCount;
  lost: boolean;
}

/** One request to all servers of a region. */
export class Broadcast {
  readonly #counts: (answer: ServerResponse) => boolean;
  readonly #answers = new Map<string, ServerResponse>();
  readonly #views: View[] = [];
  readonly #ids = new Map<string, string>();
  readonly #hopes = new Set<{ id: string; fulfil: (answered: boolean) => void }>();
  readonly #stops: (() => void)[] = [];
  readonly #done = Promise.withResolvers<void>();
  #waiting = 0;
  #stopped = false;
  #failure: unknown;

  /** `counts` returns whether an answer is accepted. */
  constructor(counts: (answer: ServerResponse) => boolean) {
    this.#counts = counts;
  }

  /** Asks on a connection. `count` must be from the same connection. */
  send(client: NatsClient, subject: string, payload: string, count: ServerCount): void {
    if (this.#stopped) return;
    const view: View = { client, count, lost: false };
    this.#views.push(view);
    client.lost.catch((error: unknown) => {
      view.lost = true;
      this.#failure = error;
      this.check();
    });
    this.#stops.push(client.requestMany(subject, payload, (reply) => this.#receive(parseResponse(reply))));
  }

  #receive(answer: ServerResponse): void {
    const id = answer.server?.id ?? '';
    this.#answers.set(id, answer);
    if (this.#counts(answer)) {
      for (const hope of this.#hopes) if (hope.id === id) hope.fulfil(true);
    }
    this.check();
  }

  /** Records that an address leads to the server of this id. */
  identify(url: string, id: string): void {
    this.#ids.set(url, id);
  }

  /** Returns the id of the server at an address, if it was identified during this broadcast. */
  idOf(url: string): string | undefined {
    return this.#ids.get(url);
  }

  /** Whether the server has given an accepted answer, or gives one within `ms` milliseconds. */
  hasAnswer(id: string, ms: number): Promise<boolean> {
    if (this.#has(id)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const hope = {
        id,
        fulfil: (answered: boolean) => void (this.#hopes.delete(hope) && resolve(answered)),
      };
      this.#hopes.add(hope);
      setTimeout(() => hope.fulfil(false), ms);
    });
  }

  #has(id: string): boolean {
    const answer = this.#answers.get(id);
    return answer !== undefined && this.#counts(answer);
  }

  /** Delays completion until `work`, which can ask more servers, ends or `patience` milliseconds pass. */
  waitFor(work: Promise<void>, patience: number): void {
    let waiting = true;
    this.#waiting++;
    const end = () => {
      if (!waiting) return;
      waiting = false;
      this.#waiting--;
      this.check();
    };
    work.then(end, end);
    if (Number.isFinite(patience)) setTimeout(end, patience);
  }

  /** Checks for completion. Call it after each reply, including those to a count. */
  check(): void {
    if (this.#waiting > 0) return;
    const open = this.#views.filter(({ lost }) => !lost);
    const active = Math.max(0, ...open.map(({ count }) => count.active));
    const counted = open.every(({ count }) => count.active > 0 && count.replied.size >= count.active);
    const answered = open.every(({ client }) => this.#has(client.server.id));
    if (counted && answered && this.#confirmed().length >= active) this.#done.resolve();
  }

  #confirmed(): string[] {
    return [...this.#answers.keys()].filter((id) => this.#has(id));
  }

  /** Resolves when every server has answered, or at `deadline` (milliseconds since the epoch). */
  async done(deadline: number): Promise<void> {
    const timer = setTimeout(() => this.#done.resolve(), Math.max(0, deadline - Date.now()));
    await this.#done.promise;
    clearTimeout(timer);
  }

  /** Ignores further answers. */
  stop(): void {
    this.#stopped = true;
    for (const stop of this.#stops) stop();
    for (const hope of this.#hopes) hope.fulfil(false);
  }

  /**
   * Returns the outcome, given the configured addresses and the last known server of each. Throws if every connection
   * was lost before any answer arrived.
   */
  outcome(listed: readonly { url: string; id: string | undefined }[]): BroadcastResult {
    if (this.#answers.size === 0 && this.#views.every(({ lost }) => lost)) throw this.#failure;
    const names = new Map<string, string>();
    for (const { url, id } of listed) names.set(id ?? url, url);
    for (const { count } of this.#views) for (const [id, name] of count.replied) names.set(id, name);
    for (const [id, { server }] of this.#answers) names.set(id, server?.name ?? '');
    const confirmed = this.#confirmed();
    const active = Math.max(0, ...this.#views.map(({ count }) => count.active));
    // A connection without a count may have reached any number of servers.
    const uncounted = this.#views.some(({ count }) => count.active === 0) ? confirmed.length + 1 : 0;
    const servers = Math.max(1, names.size, active, uncounted);
    const missing = [...names].filter(([id]) => !this.#has(id)).map(([, name]) => name);
    if (servers > names.size) missing.push(`${servers - names.size} more`);
    const addresses = new Map(listed.map(({ url }) => [url, this.#ids.get(url)]));
    return { responses: this.#answers, servers, missing, addresses };
  }
}

/** Parses a reply; empty if it is not JSON. */
export function parseResponse(reply: Reply): ServerResponse {
  try {
    return reply.text ? (JSON.parse(reply.text) as ServerResponse) : {};
  } catch {
    return {};
  }
}
