/** The element `<reset-password>`: requests the email or, if the address has a token, sets the new password. */

import { fill, find, show } from '../ui/dom.ts';
import { bindForm } from '../ui/forms/form.ts';
import { bindPasswordToggles } from '../ui/forms/password-field.ts';
import { postAuth, problemOf, tokenInAddress } from './auth-client.ts';

class ResetPassword extends HTMLElement {
  connectedCallback(): void {
    const form = (name: string) => find(this, `[data-form="${name}"]`, HTMLFormElement);
    bindForm(
      form('request'),
      async ({ email = '' }) => {
        fill(this, { email });
        return problemOf(await postAuth('/request-password-reset', { email }));
      },
      () => this.#settle('sent'),
    );
    bindForm(
      form('choose'),
      async ({ newPassword = '' }) =>
        problemOf(await postAuth('/reset-password', { token: tokenInAddress(), newPassword })),
      () => {
        history.replaceState(null, '', location.pathname);
        this.#settle('done');
      },
    );
    bindPasswordToggles(this);
    const choose = () => show(this, tokenInAddress() ? 'choose' : 'request');
    // Only the fragment changes when the link is opened on this page, so the browser does not reload it.
    addEventListener('hashchange', choose);
    find(this, '[data-action="again"]', HTMLAnchorElement).addEventListener('click', (event) => {
      event.preventDefault();
      history.replaceState(null, '', location.pathname);
      choose();
    });
    choose();
  }

  #settle(state: 'sent' | 'done'): void {
    show(this, state);
    find(this, `[data-when="${state}"] h2`, HTMLElement).focus();
  }
}

customElements.define('reset-password', ResetPassword);
