/**
 * The way out for mail: one message, by whatever transport the deployment has. What a mail says is its sender's. A mail
 * that cannot be sent is a line in the log, without its text, and fails nothing else.
 */
import type { Mail } from './env.ts';

/** A mail of plain text to one address. */
export interface Message {
  to: string;
  subject: string;
  text: string;
}

/** How long the provider may take, in milliseconds. */
const DEADLINE_MS = 5_000;

/**
 * Sends a mail; without a transport, does nothing. Rejects when the provider refuses or does not answer in time, with
 * an error that names no address and repeats nothing of the text.
 */
export async function sendMail(mail: Mail | null, { to, subject, text }: Message): Promise<void> {
  if (!mail) return;
  if (mail.transport === 'console') {
    console.log(`Mail to ${to}: ${subject}\n\n${text}`);
    return;
  }
  const answer = await fetch(mail.endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${mail.token}` },
    body: JSON.stringify({ from: mail.from, to, subject, text }),
    // Elsewhere nobody should get the token.
    redirect: 'manual',
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`the mail provider answered ${answer.status}`);
}
