/** The session: who is signed in. Each page requests it once. Scripts cannot read the cookie. */
import { fetchResult, type Result } from './request.ts';

/** The signed-in person. */
export interface Session {
  name: string;
  email: string;
  /** True for Owners of the operator's organization. */
  operator?: true;
  /** For guests only: when access ends, and the server's time at the response. See guest-session.ts. */
  guest?: [until: string, serverTime: string | null];
}

/** Dispatched on `document` when someone else may be signed in. */
export const SESSION_CHANGED = 'latchkey:session';

/** Dispatched by a panel that asks the reader to sign in; it bubbles. The session menu can offer guest access there. */
export const SIGN_IN_SHOWN = 'latchkey:sign-in-shown';

interface SessionResponse {
  user: Session;
  session: { expiresAt: string };
}

let session: Promise<Result<Session | null>> | undefined;

/** Returns the session, or null if nobody is signed in. Failures are not cached. */
export async function currentSession(): Promise<Result<Session | null>> {
  session ??= fetchResult<SessionResponse | null>(() => fetch('/auth/get-session')).then((result) =>
    result.ok ? { ...result, body: result.body && sessionOf(result.body, result.headers) } : result,
  );
  const result = await session;
  if (!result.ok) session = undefined;
  return result;
}

const sessionOf = ({ user, session }: SessionResponse, headers: Headers): Session =>
  user.email.endsWith('@guest.invalid') ? { ...user, guest: [session.expiresAt, headers.get('Date')] } : user;

/** Makes the next call of {@link currentSession} send a request, without an event. */
export function doubtSession(): void {
  session = undefined;
}

/** Forgets the session and notifies the page. */
export function forgetSession(): void {
  session = undefined;
  document.dispatchEvent(new Event(SESSION_CHANGED));
}

/** Returns the URL of the sign-in page, with this page and optionally a step on it to return to. */
export function signInLink(step?: string): string {
  const anchorId = step ?? location.hash.slice(1);
  // Only fragments that are anchors on this page: others may contain a token, which must not end up in a URL.
  const anchor = document.getElementById(anchorId) ? `#${anchorId}` : '';
  const back = `${location.pathname}${location.search}${anchor}`;
  return `/sign-in/?${new URLSearchParams({ return: back })}`;
}
