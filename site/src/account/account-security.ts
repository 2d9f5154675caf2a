/** The element `<account-security>`: lists and ends sessions, and changes the password. */

import { type BrowserSession, sessions } from '../api/api.ts';
import { sentence } from '../api/errors.ts';
import { fetchResult } from '../api/request.ts';
import { currentSession, signInLink } from '../api/session.ts';
import { copyOf, fill, find, show } from '../ui/dom.ts';
import { bindForm } from '../ui/forms/form.ts';
import { bindPasswordToggles } from '../ui/forms/password-field.ts';
import { failure, type Notice, say, success } from '../ui/panels/notice.ts';
import { showTime } from '../ui/time.ts';
import { postAuth, problemOf } from './auth-client.ts';

const PAGE_SIZE = 100;

class AccountSecurity extends HTMLElement {
  connectedCallback(): void {
    const form = find(this, 'form', HTMLFormElement);
    bindForm(
      form,
      async ({ currentPassword, newPassword }) =>
        problemOf(await postAuth('/change-password', { currentPassword, newPassword })),
      () => {
        form.reset();
        void this.#load(success('Your password has been changed, and your other sessions have ended.'));
      },
    );
    bindPasswordToggles(this);
    find(this, '[data-action="retry"]', HTMLButtonElement).addEventListener('click', () => void this.#load());
    find(this, '[data-sign-in]', HTMLAnchorElement).href = signInLink();
    void this.#load();
  }

  async #load(news?: Notice): Promise<void> {
    // If nobody is signed in, the requests below would fail.
    const session = await currentSession();
    if (session.ok && !session.body) return show(this, 'signed-out');
    if (session.ok && session.body?.guest) return show(this, 'guest');
    const query = { order_by: 'created_at_desc', page_size: `${PAGE_SIZE}` } as const;
    const result = await fetchResult(() => sessions.$get({ query }));
    if (!result.ok) {
      fill(this, { problem: sentence(result.problem, 'list') });
      return show(this, result.problem.kind === 'signed-out' ? 'signed-out' : 'problem');
    }
    const { jwts, total_count: total } = result.body;
    find(this, '[data-list]', HTMLElement).replaceChildren(...jwts.map((session) => this.#row(session)));
    show(this, 'ready');
    find(this, '[data-block="more"]', HTMLElement).hidden = total <= PAGE_SIZE;
    say(this, news);
  }

  #row(session: BrowserSession): HTMLElement {
    const row = copyOf(find(this, '[data-template="session"]', HTMLTemplateElement));
    const browser = browserOf(session.user_agent);
    const which = session.current ? 'this session, and so sign out' : `the session of ${browser}`;
    fill(row, { browser, address: session.ip || 'an unknown address', which });
    find(row, '[data-block="current"]', HTMLElement).hidden = !session.current;
    showTime(find(row, '[data-time="created"]', HTMLTimeElement), session.created_at);
    showTime(find(row, '[data-time="ends"]', HTMLTimeElement), session.expires_at);
    find(row, 'button', HTMLButtonElement).addEventListener('click', () => void this.#end(session));
    return row;
  }

  async #end({ jti, current }: BrowserSession): Promise<void> {
    if (current) return (await import('../api/sign-out.ts')).signOut();
    const result = await fetchResult<unknown>(() => sessions[':jti'].$delete({ param: { jti } }));
    // If the session is missing, it has already ended.
    if (!result.ok && result.problem.kind !== 'gone') {
      return say(this, failure(sentence(result.problem, 'action')));
    }
    await this.#load(success('The session has ended.'));
    find(this, 'h2', HTMLElement).focus();
  }
}

/** The first match is the browser: all user agents name Safari, and those of Chromium name Chrome. */
const BROWSERS: [name: string, token: RegExp][] = [
  ['Edge', /\bEdg/],
  ['Opera', /\bOPR\//],
  ['Firefox', /\b(Firefox|FxiOS)\//],
  ['Chrome', /\b(Chrome|HeadlessChrome|CriOS)\//],
  ['Safari', /\bSafari\//],
];
const SYSTEMS: [name: string, token: RegExp][] = [
  ['iPhone or iPad', /iPhone|iPad/],
  ['Android', /Android/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X/],
  ['Linux', /Linux/],
];

function browserOf(userAgent: string): string {
  const named = (table: typeof BROWSERS) => table.find(([, token]) => token.test(userAgent))?.[0];
  const [browser, system] = [named(BROWSERS) ?? 'An unknown browser', named(SYSTEMS)];
  return system ? `${browser} on ${system}` : browser;
}

customElements.define('account-security', AccountSecurity);
