/**
 * Who is at the browser: the session, and the ways in and out. One request for each page, shared by all that ask.
 * Nothing of it is stored here; the cookie is the server's and scripts cannot read it.
 */
import { fetchResult, type Result } from './request.ts';

/** The person who is signed in. */
export interface Session {
  name: string;
  email: string;
  /** Whether the person is an Owner of the organization that runs this deployment. */
  operator?: true;
  /** Of a guest, when it ends, and what the server's clock said when it told so: see guest-session.ts. Absent for everyone else. */
  guest?: [until: string, serverTime: string | null];
}

/** The event that `document` receives when somebody else may be at the browser. */
export const SESSION_CHANGED = 'latchkey:session';

/** The event of a panel that asks the reader to sign in; it bubbles. The session menu can offer guest access there. */
export const SIGN_IN_SHOWN = 'latchkey:sign-in-shown';

interface SessionResponse {
  user: Session;
  session: { expiresAt: string };
}

let session: Promise<Result<Session | null>> | undefined;

/** The session; null when nobody is signed in. A failure is not kept: the next call asks again. */
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

/** Has the next call of {@link currentSession} ask again, without a word to the page. */
export function doubtSession(): void {
  session = undefined;
}

/** Asks for the session anew when it is next needed, and tells the page. */
export function forgetSession(): void {
  session = undefined;
  document.dispatchEvent(new Event(SESSION_CHANGED));
}

/** The address of the sign-in page that comes back to this page, at the step whose id is given. */
export function signInLink(step?: string): string {
  const anchorId = step ?? location.hash.slice(1);
  // A place on the page, and nothing else: what stands there may also be a token, which an address must not take along.
  const anchor = document.getElementById(anchorId) ? `#${anchorId}` : '';
  const back = `${location.pathname}${location.search}${anchor}`;
  return `/sign-in/?${new URLSearchParams({ return: back })}`;
}
