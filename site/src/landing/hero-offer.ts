/**
 * The element `<hero-offer>`: offers a stranger to try the product as a guest, where the operator allows it, and leads to the
 * guide then.
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
    await import('../shell/guest/guest-offer.ts').then(
      ({ offer }) => offer(this),
      () => undefined,
    );
  }
}

customElements.define('hero-offer', HeroOffer);
