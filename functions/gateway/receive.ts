/**
 * A receive, which may wait for as long as twenty seconds: what was authorised when it began may be revoked when a
 * message comes. So no message is delivered unless the credentials, read after it came, still permit it; otherwise it
 * is for another reader at once. Notifications of topics get the project's names.
 */
import { createHash } from 'node:crypto';
import type { Call } from './call.ts';
import { engineQueueUrl, nameInQueueUrl, type Place } from './names.ts';
import { renameNotification } from './notifications.ts';
import { type Fields, isRecord } from './shapes.ts';
import { callEngine } from './upstream.ts';

/** After a wait so long, in milliseconds, one who is told that nothing came is told too when it may no longer ask. */
const WAITED_MS = 1000;

/** Receives, and releases what came only to whom it may still go. */
export async function receive(call: Call): Promise<Fields> {
  const answer = await call.forward();
  const messages = Array.isArray(answer.Messages) ? (answer.Messages.filter(isRecord) as Fields[]) : [];
  if (messages.length === 0 && Date.now() - call.now <= WAITED_MS) return answer;
  try {
    await call.recheck();
    if (messages.length === 0) return answer;
    return { ...answer, Messages: messages.map((message) => renamed(call.place, message)) };
  } catch (error) {
    await giveBack(call, messages);
    throw error;
  }
}

/** A message as its client sees it. Clients check a body by its MD5. */
function renamed(place: Place, message: Fields): Fields {
  const body = renameNotification(place, String(message.Body));
  if (body === undefined) return message;
  return { ...message, Body: body, MD5OfBody: createHash('md5').update(body).digest('hex') };
}

/** Makes messages visible again. Should that fail, they come back when their visibility timeout ends. */
async function giveBack(
  { place, fields }: Call,
  messages: readonly Record<string, unknown>[],
): Promise<void> {
  if (messages.length === 0) return;
  const queue = nameInQueueUrl(place, String(fields.QueueUrl)) ?? '';
  const entries = messages.map(({ ReceiptHandle }, at) => ({
    Id: `${at}`,
    ReceiptHandle: String(ReceiptHandle),
    VisibilityTimeout: 0,
  }));
  await callEngine(place.engine, {
    service: 'sqs',
    action: 'ChangeMessageVisibilityBatch',
    fields: { QueueUrl: engineQueueUrl(place, queue), Entries: entries },
  }).catch(() => undefined);
}
