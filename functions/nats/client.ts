/**
 * A NATS client as small as the Worker needs: one connection over a websocket, requests with any number of replies.
 * The protocol is NATS client protocol 1 (INFO, CONNECT, SUB, PUB, MSG, HMSG, PING, PONG, -ERR). No reconnect: a caller that
 * fails tries again later.
 */
import { userJwt } from './jwt.ts';
import { base64url, createKey, importSeed, type SigningKey } from './keys.ts';

/** One answer to a request. */
export interface Reply {
  /** The payload as text; empty when there is none. */
  text: string;
  /** Whether the server says that nobody serves the subject (status 503). */
  noResponders: boolean;
}

/** The server of a connection, as its INFO names it. */
export interface ServerInfo {
  /** `N…`, new at each start of the server. */
  id: string;
  name: string;
  version: string;
}

/** An open connection. */
export interface NatsClient {
  /** The websocket address. */
  url: string;
  server: ServerInfo;
  /** Rejects when the connection is lost or closed. */
  lost: Promise<never>;
  /**
   * Publishes a request and hands each reply to `receive` until the function that it returns is called. Throws when the
   * connection is lost already.
   */
  ask(subject: string, payload: string, receive: (reply: Reply) => void): () => void;
  /**
   * Publishes a request and gathers its replies until `enough` says so or `deadline` (milliseconds since the epoch) has
   * passed. Resolves to what came; rejects only when the connection is lost.
   */
  request(
    subject: string,
    payload: string,
    enough: (replies: Reply[]) => boolean,
    deadline: number,
  ): Promise<Reply[]>;
  /** Closes the connection. */
  close(): void;
}

/** Who connects: the JWT of a user and the key that signs the server's nonce. */
export interface NatsUser {
  jwt: string;
  key: SigningKey;
}

/**
 * How long the users live that the Worker makes for itself, in seconds. A server whose clock is ahead by more refuses
 * them. It costs nothing that this is long: the key never leaves this isolate, and a JWT without its key opens nothing.
 */
const USER_LIFE = 3600;

/** A user of an account that lives for an hour and may do what `permissions` say, or everything. */
export async function shortLivedUser(
  account: { id: string; issuer: SigningKey },
  issuedAt: number,
  permissions?: { publish: string[]; subscribe: string[] },
): Promise<NatsUser> {
  const { seed } = await createKey('user');
  const key = await importSeed(seed);
  const jwt = await userJwt({
    publicKey: key.publicKey,
    name: 'latchkey',
    issuer: account.issuer,
    issuerAccount: account.id,
    issuedAt,
    expiresAt: Math.floor(Date.now() / 1000) + USER_LIFE,
    permissions,
  });
  return { jwt, key };
}

/**
 * Connects to the first of the websocket addresses that answers before the deadline (milliseconds since the epoch), in
 * turn. Rejects when none does, with what each said.
 */
export async function connectNats(
  urls: readonly string[],
  user: NatsUser,
  deadline: number,
): Promise<NatsClient> {
  const failures: string[] = [];
  for (const [i, url] of urls.entries()) {
    // Each address gets an equal part of what is left: one that hangs must not use up the time of the next.
    const share = (deadline - Date.now()) / (urls.length - i);
    try {
      return await connectOne(url, user, Date.now() + share);
    } catch (error) {
      failures.push(`${url}: ${error instanceof Error ? error.message : 'failed'}`);
    }
  }
  throw new Error(`No nats-server could be reached (${failures.join('; ') || 'none is configured'})`);
}

/** Connects to one websocket address before the deadline (milliseconds since the epoch). Rejects with the reason. */
export async function connectOne(url: string, user: NatsUser, deadline: number): Promise<NatsClient> {
  const socket = await openSocket(url, deadline);
  try {
    return await handshake(url, socket, user, deadline);
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Opens a websocket by an HTTP upgrade (RFC 6455, section 4.1), which the runtime does on `fetch`. */
async function openSocket(url: string, deadline: number): Promise<WebSocket> {
  // A signal that fires later would kill the open socket too: it is disarmed once the upgrade is done.
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error('timed out')), Math.max(0, deadline - Date.now()));
  try {
    const response = (await fetch(url.replace(/^ws/, 'http'), {
      headers: { Upgrade: 'websocket' },
      signal: abort.signal,
    })) as Response & { webSocket: (WebSocket & { accept(): void }) | null };
    if (!response.webSocket) throw new Error(`answered ${response.status} instead of a websocket`);
    response.webSocket.binaryType = 'arraybuffer';
    response.webSocket.accept();
    return response.webSocket;
  } finally {
    clearTimeout(timer);
  }
}

/** What the server sent, taken apart: a line of the protocol, or a message with its headers and payload as text. */
export type Incoming =
  | { type: 'line'; words: string[]; line: string }
  | { type: 'message'; subject: string; headers: string; text: string };

async function handshake(
  url: string,
  socket: WebSocket,
  user: NatsUser,
  deadline: number,
): Promise<NatsClient> {
  const inbox = `_INBOX.${crypto.randomUUID()}`;
  const waiting = new Map<string, (reply: Reply) => void>();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {});
  const info = Promise.withResolvers<string>();
  const ready = Promise.withResolvers<void>();
  const send = (text: string) => socket.send(text);
  const receive = (incoming: Incoming) => {
    if (incoming.type === 'message') {
      const { subject, text, headers } = incoming;
      waiting.get(subject)?.({ text, noResponders: headers.startsWith('NATS/1.0 503') });
      return;
    }
    const [verb = ''] = incoming.words;
    if (verb === 'INFO') info.resolve(incoming.line.slice(4));
    if (verb === 'PING') send('PONG\r\n');
    if (verb === 'PONG') ready.resolve();
    if (verb === '-ERR') lost.reject(new Error(incoming.line + hintFor(incoming.line)));
  };
  const parse = messageParser(receive);
  socket.addEventListener('message', ({ data }) => parse(bytesOf(data)));
  socket.addEventListener('close', () => lost.reject(new Error('the connection was closed')));
  socket.addEventListener('error', () => lost.reject(new Error('the connection failed')));

  const timely = <T>(promise: Promise<T>) => Promise.race([promise, lost.promise, rejectAt(deadline)]);
  const told = JSON.parse(await timely(info.promise)) as Info;
  const signature = base64url(await user.key.sign(new TextEncoder().encode(told.nonce ?? '')));
  send(
    `CONNECT ${JSON.stringify({
      jwt: user.jwt,
      sig: signature,
      verbose: false,
      pedantic: false,
      protocol: 1,
      headers: true,
      no_responders: true,
      lang: 'latchkey',
      version: '1',
    })}\r\nSUB ${inbox}.* 1\r\nPING\r\n`,
  );
  await timely(ready.promise);

  let requests = 0;
  const ask: NatsClient['ask'] = (subject, payload, receive) => {
    const reply = `${inbox}.${requests++}`;
    waiting.set(reply, receive);
    send(`PUB ${subject} ${reply} ${new TextEncoder().encode(payload).length}\r\n${payload}\r\n`);
    return () => waiting.delete(reply);
  };
  return {
    url,
    server: { id: told.server_id ?? '', name: told.server_name ?? '', version: told.version ?? '' },
    lost: lost.promise,
    ask,
    async request(subject, payload, enough, until) {
      const replies: Reply[] = [];
      const done = Promise.withResolvers<void>();
      const stop = ask(subject, payload, (one) => {
        replies.push(one);
        if (enough(replies)) done.resolve();
      });
      const timer = setTimeout(() => done.resolve(), Math.max(0, until - Date.now()));
      try {
        await Promise.race([done.promise, lost.promise]);
        return replies;
      } finally {
        clearTimeout(timer);
        stop();
      }
    },
    close() {
      lost.reject(new Error('the connection was closed'));
      socket.close();
    },
  };
}

/** What is read of a server's INFO. */
interface Info {
  nonce?: string;
  server_id?: string;
  server_name?: string;
  version?: string;
}

/** What a refusal of a user that was made this moment can mean. */
function hintFor(line: string): string {
  return /authorization violation/i.test(line)
    ? ": the server's clock is more than an hour ahead, or its operator.jwt or system_account is not this deployment's"
    : '';
}

function rejectAt(deadline: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('timed out')), Math.max(0, deadline - Date.now()));
  });
}

function bytesOf(data: unknown): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data as ArrayBuffer);
}

/** Takes frames, which begin and end anywhere, and hands on what is whole, in order. */
export function messageParser(receive: (incoming: Incoming) => void): (frame: Uint8Array) => void {
  let rest = new Uint8Array(0);
  const decoder = new TextDecoder();
  return (frame) => {
    const bytes = new Uint8Array(rest.length + frame.length);
    bytes.set(rest);
    bytes.set(frame, rest.length);
    let start = 0;
    for (;;) {
      const end = endOfLine(bytes, start);
      if (end < 0) break;
      const line = decoder.decode(bytes.subarray(start, end));
      // The server separates some words by two spaces.
      const words = line.split(/\s+/);
      if (words[0] !== 'MSG' && words[0] !== 'HMSG') {
        receive({ type: 'line', words, line });
        start = end + 2;
        continue;
      }
      const total = Number(words.at(-1));
      const headerLength = words[0] === 'HMSG' ? Number(words.at(-2)) : 0;
      const body = end + 2;
      if (bytes.length < body + total + 2) break;
      receive({
        type: 'message',
        subject: words[1] ?? '',
        headers: decoder.decode(bytes.subarray(body, body + headerLength)),
        text: decoder.decode(bytes.subarray(body + headerLength, body + total)),
      });
      start = body + total + 2;
    }
    rest = bytes.slice(start);
  };
}

function endOfLine(bytes: Uint8Array, start: number): number {
  for (let i = start; i + 1 < bytes.length; i++) if (bytes[i] === 13 && bytes[i + 1] === 10) return i;
  return -1;
}
