/**
 * A minimal NATS client for the Worker: one connection over a websocket, and requests with any number of replies.
 * Speaks NATS client protocol 1 (INFO, CONNECT, SUB, PUB, MSG, HMSG, PING, PONG, -ERR). It does not reconnect; callers
 * retry.
 */
import { userJwt } from './jwt.ts';
import { base64url, createKey, importSeed, type SigningKey } from './keys.ts';

export interface Reply {
  /** Empty if the message has no payload. */
  text: string;
  /** Whether the server reports that nobody is subscribed to the subject (status 503). */
  noResponders: boolean;
}

/** The connected server, from its INFO. */
export interface ServerInfo {
  /** `N…`, different after each start of the server. */
  id: string;
  name: string;
  version: string;
}

export interface NatsClient {
  url: string;
  server: ServerInfo;
  /** Rejects when the connection is lost or closed. */
  lost: Promise<never>;
  /**
   * Publishes a request and passes each reply to `receive` until the returned function is called. Throws if the
   * connection is already lost.
   */
  requestMany(subject: string, payload: string, receive: (reply: Reply) => void): () => void;
  /**
   * Publishes a request and collects replies until `enough` returns true or `deadline` (milliseconds since the epoch)
   * passes. Resolves to the replies so far; rejects only if the connection is lost.
   */
  request(
    subject: string,
    payload: string,
    enough: (replies: Reply[]) => boolean,
    deadline: number,
  ): Promise<Reply[]>;
  close(): void;
}

/** The credentials of a connection: a user JWT and the key that signs the server's nonce. */
export interface NatsUser {
  jwt: string;
  key: SigningKey;
}

/**
 * Lifetime of the Worker's own users, in seconds. A server whose clock is ahead by more rejects them. A long lifetime
 * is safe: the key never leaves this isolate, and a JWT without its key is useless.
 */
const USER_LIFE = 3600;

/** Returns a user of an account, valid for an hour and limited to `permissions` if they are given. */
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
 * Tries the websocket addresses in turn and returns the first connection made before the deadline (milliseconds since
 * the epoch). Rejects with the error of each address if all fail.
 */
export async function connectNats(
  urls: readonly string[],
  user: NatsUser,
  deadline: number,
): Promise<NatsClient> {
  const failures: string[] = [];
  for (const [i, url] of urls.entries()) {
    // Give each address an equal share of the remaining time, so that one that hangs cannot use it all.
    const share = (deadline - Date.now()) / (urls.length - i);
    try {
      return await connectOne(url, user, Date.now() + share);
    } catch (error) {
      failures.push(`${url}: ${error instanceof Error ? error.message : 'failed'}`);
    }
  }
  throw new Error(`Could not connect to a nats-server (${failures.join('; ') || 'none is configured'})`);
}

export async function connectOne(url: string, user: NatsUser, deadline: number): Promise<NatsClient> {
  const socket = await openSocket(url, deadline);
  try {
    return await handshake(url, socket, user, deadline);
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Opens a websocket with an HTTP upgrade (RFC 6455, section 4.1), which the runtime performs on `fetch`. */
async function openSocket(url: string, deadline: number): Promise<WebSocket> {
  // Cleared after the upgrade: a signal that aborts later would also close the open socket.
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error('timed out')), Math.max(0, deadline - Date.now()));
  try {
    const response = (await fetch(url.replace(/^ws/, 'http'), {
      headers: { Upgrade: 'websocket' },
      signal: abort.signal,
    })) as Response & { webSocket: (WebSocket & { accept(): void }) | null };
    if (!response.webSocket) throw new Error(`returned ${response.status} instead of opening a websocket`);
    response.webSocket.binaryType = 'arraybuffer';
    response.webSocket.accept();
    return response.webSocket;
  } finally {
    clearTimeout(timer);
  }
}

/** One parsed item from the server: a protocol line, or a message with headers and payload as text. */
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
  const ask: NatsClient['requestMany'] = (subject, payload, receive) => {
    const reply = `${inbox}.${requests++}`;
    waiting.set(reply, receive);
    send(`PUB ${subject} ${reply} ${new TextEncoder().encode(payload).length}\r\n${payload}\r\n`);
    return () => waiting.delete(reply);
  };
  return {
    url,
    server: { id: told.server_id ?? '', name: told.server_name ?? '', version: told.version ?? '' },
    lost: lost.promise,
    requestMany: ask,
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

/** The parts of a server's INFO that are used. */
interface Info {
  nonce?: string;
  server_id?: string;
  server_name?: string;
  version?: string;
}

/** Returns likely causes of the rejection of a user that was just created. */
function hintFor(line: string): string {
  return /authorization violation/i.test(line)
    ? ": the server's clock is more than an hour ahead, or its operator.jwt or system_account does not belong to this deployment"
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

/** Returns a parser for frames, which can split the protocol anywhere; it emits complete items in order. */
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
      // The server separates some words with two spaces.
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
