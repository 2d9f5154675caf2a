/**
 * The element `<hero-offer>`: lets a signed-out reader try the product as a guest, if the operator allows guests, and then
 * opens the guide.
 */
import { currentSession, SESSION_CHANGED } from '../api/session.ts';

const GUIDE = '/how-to/create-credentials/#nats';

class HeroOffer extends HTMLElement {
  async connectedCallback(): Promise<void> {
    const session = await currentSession();
    if (!session.ok || session.body) return;
    this.addEventListener('click', () =>
      document.addEventListener(SESSION_CHANGED, () => location.assign(GUIDE), { once: true }),
    );
    await import('../guest/guest-offer.ts').then(
      (code) => code.offerGuestAccess(this),
      () => undefined,
    );
  }
}

customElements.define('hero-offer', HeroOffer);
