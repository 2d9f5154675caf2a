/**
 * Receives messages. A receive can wait 20 seconds, and the credentials can be revoked while it waits: it then ends at
 * once. Messages are delivered only if the guard, asked after they have arrived, still permits it; otherwise they
 * become visible to other readers immediately. Notifications get the project's names.
 */
import { createHash } from 'node:crypto';
import { GuardUnavailable } from '../guard/guards.ts';
import type { Call } from './call.ts';
import { engineQueueUrl, type NameContext, nameInQueueUrl } from './names.ts';
import { renameNotification } from './notifications.ts';
import { type Fields, isRecord } from './shapes.ts';
import { callEngine } from './upstream.ts';

/** A receive that waits longer watches its credentials, in milliseconds. */
const WATCH_AFTER_MS = 1000;

/** Longer than any receive waits: timers cannot be set for years. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Receives messages. Throws the denial if the credentials no longer permit it, without waiting for the engine. Returns
 * no messages if the credentials were interrupted, or can no longer be checked, while it waited.
 */
export async function receive(call: Call): Promise<Fields> {
  // Without its guard, nothing would end the wait when the credentials are revoked.
  if (!call.permission.guarded) throw new GuardUnavailable();
  const engine = call.forward();
  try {
    const answer = (await within(WATCH_AFTER_MS, engine)) ?? (await waitForMessages(call, engine));
    if (!answer) return withoutMessages(call, engine);
    const messages = messagesIn(answer);
    if (messages.length === 0) return answer;
    // A new check, because the last one can be older than the messages.
    if (!(await call.permission.check())) return withoutMessages(call, engine);
    return { ...answer, Messages: messages.map((message) => renamed(call.context, message)) };
  } catch (error) {
    const empty = withoutMessages(call, engine);
    if (error instanceof GuardUnavailable && Date.now() - call.now > WATCH_AFTER_MS) return empty;
    throw error;
  }
}

/**
 * Waits for the engine. Resolves to null as soon as the credentials were interrupted. Rejects as soon as they no longer
 * permit it, or cannot be checked.
 */
async function waitForMessages(call: Call, engine: Promise<Fields>): Promise<Fields | null> {
  const watch = await call.permission.watch();
  try {
    for (;;) {
      // Also before the first change, because one can precede the watch.
      if (!(await call.permission.check())) return null;
      const expiresAt = call.permission.expiresAt() ?? Number.POSITIVE_INFINITY;
      const wait = Math.min(expiresAt - Date.now(), LONGEST_WAIT_MS);
      const answer = await within(wait, Promise.race([engine, watch.next()]));
      if (answer) return answer;
    }
  } finally {
    watch.close();
  }
}

function messagesIn({ Messages }: Fields): Fields[] {
  return Array.isArray(Messages) ? (Messages.filter(isRecord) as Fields[]) : [];
}

/** Makes the messages that the engine returns visible again in the background. Returns an empty response. */
function withoutMessages(call: Call, engine: Promise<Fields>): Fields {
  call.waitUntil(engine.then((answer) => releaseMessages(call, messagesIn(answer))));
  return {};
}

/** Returns the message with the client's names. Clients verify the body by its MD5, so that is recomputed. */
function renamed(context: NameContext, message: Fields): Fields {
  const body = renameNotification(context, String(message.Body));
  if (body === undefined) return message;
  return { ...message, Body: body, MD5OfBody: createHash('md5').update(body).digest('hex') };
}

/** Makes messages visible again. If that fails, they reappear when their visibility timeout expires. */
async function releaseMessages({ context, fields }: Call, messages: readonly Fields[]): Promise<void> {
  if (messages.length === 0) return;
  const queue = nameInQueueUrl(context, String(fields.QueueUrl)) ?? '';
  const entries = messages.map(({ ReceiptHandle }, at) => ({
    Id: `${at}`,
    ReceiptHandle: String(ReceiptHandle),
    VisibilityTimeout: 0,
  }));
  await callEngine(context.engine, {
    service: 'sqs',
    action: 'ChangeMessageVisibilityBatch',
    fields: { QueueUrl: engineQueueUrl(context, queue), Entries: entries },
  }).catch(() => undefined);
}

/** Resolves to the result, or to undefined after this time. */
async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const delay = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  try {
    return await Promise.race([work, delay]);
  } finally {
    clearTimeout(timer);
  }
}
