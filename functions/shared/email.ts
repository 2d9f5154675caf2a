/**
 * Sends one plain-text email over the configured transport. Callers write the text and log failures, without the text.
 */
import type { Mail } from './env.ts';

/** A plain-text email to one address. */
export interface Email {
  to: string;
  subject: string;
  text: string;
}

/** Timeout for the provider, in milliseconds. */
const DEADLINE_MS = 5_000;

/**
 * Sends an email, or does nothing without a transport. Rejects if the provider refuses it or does not respond in time,
 * with an error that contains neither address nor text.
 */
export async function sendEmail(mail: Mail | null, { to, subject, text }: Email): Promise<void> {
  if (!mail) return;
  if (mail.transport === 'console') {
    console.log(`Email to ${to}: ${subject}\n\n${text}`);
    return;
  }
  const answer = await fetch(mail.endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${mail.token}` },
    body: JSON.stringify({ from: mail.from, to, subject, text }),
    // Do not follow redirects: they would leak the token.
    redirect: 'manual',
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`the email provider returned ${answer.status}`);
}
