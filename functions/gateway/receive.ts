/**
 * Receives messages. A receive can wait 20 seconds, and the credentials can be revoked while it waits. Messages are
 * therefore delivered only if the credentials, read again after the messages arrive, still permit it; otherwise they
 * become visible to other readers immediately. Notifications get the project's names.
 */
import { createHash } from 'node:crypto';
import type { Call } from './call.ts';
import { engineQueueUrl, type NameContext, nameInQueueUrl } from './names.ts';
import { renameNotification } from './notifications.ts';
import { type Fields, isRecord } from './shapes.ts';
import { callEngine } from './upstream.ts';

/** Re-check permissions on an empty receive that waited longer than this, in milliseconds. */
const RECHECK_AFTER_MS = 1000;

/**
 * Receives messages and returns them only if the credentials are still valid. Otherwise makes the messages visible
 * again and throws.
 */
export async function receive(call: Call): Promise<Fields> {
  const answer = await call.forward();
  const messages = Array.isArray(answer.Messages) ? (answer.Messages.filter(isRecord) as Fields[]) : [];
  if (messages.length === 0 && Date.now() - call.now <= RECHECK_AFTER_MS) return answer;
  try {
    await call.recheck();
    if (messages.length === 0) return answer;
    return { ...answer, Messages: messages.map((message) => renamed(call.context, message)) };
  } catch (error) {
    await releaseMessages(call, messages);
    throw error;
  }
}

/** Returns the message with the client's names. Clients verify the body by its MD5, so that is recomputed. */
function renamed(context: NameContext, message: Fields): Fields {
  const body = renameNotification(context, String(message.Body));
  if (body === undefined) return message;
  return { ...message, Body: body, MD5OfBody: createHash('md5').update(body).digest('hex') };
}

/** Makes messages visible again. If that fails, they reappear when their visibility timeout expires. */
async function releaseMessages(
  { context, fields }: Call,
  messages: readonly Record<string, unknown>[],
): Promise<void> {
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
