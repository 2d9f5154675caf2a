/** The facts about credentials on their page. CredentialPage sends the requests. */

import type { ProductId } from '../../../../db/products.ts';
import type { NatsAccount } from '../../api/api.ts';
import { ACCESS_KEY_PRODUCTS } from '../../credentials/access-key/products.ts';
import { accessLevel } from '../../credentials/access-level.ts';
import { type Action, allowedActions } from '../../credentials/allowed-actions.ts';
import { fill, find } from '../../ui/dom.ts';
import { Panel, type State } from '../../ui/panels/panel.ts';
import { showTime } from '../../ui/time.ts';
import { accountPage } from '../../workspace/selection.ts';
import type { Credentials } from './credential-page.ts';
import type { LastUse } from './usage-panel.ts';

/** For how long a previous key that is still in use stays at most, after its end: see the schedule. */
const LONGEST_DELAY = '24 hours';

export class CredentialPanel extends Panel {
  constructor(owner: ParentNode) {
    super(owner, 'credential');
  }

  bind(reactions: { retry: () => unknown; act: (action: Action, button: HTMLElement) => unknown }): void {
    this.on('retry', reactions.retry);
    for (const button of this.#actions) {
      button.addEventListener('click', () => void reactions.act(button.dataset.item as Action, button));
    }
  }

  get #actions(): NodeListOf<HTMLElement> {
    return this.root.querySelectorAll('[data-item]');
  }

  override show(state: State): void {
    super.show(state);
    if (state !== 'ready') this.#fact('rotation', false);
  }

  render(credentials: Credentials): void {
    const { name, id, status, description, tags, created_by: creator } = credentials;
    const keys = 'access_key' in credentials ? credentials : undefined;
    const all = (list: string[] | null | undefined, none: string) => list?.join(', ') ?? none;
    fill(this.root, {
      name,
      id,
      description,
      status: status.charAt(0).toUpperCase() + status.slice(1),
      key: keyOf(credentials),
      access: accessOf(credentials),
      resources: all(keys?.resources, 'All of the project'),
      sources: all(keys?.source_ips, 'Anywhere'),
      reason: credentials.disabled_reason ?? '',
      creator: creator?.type === 'system' ? 'Latchkey' : creator?.name || creator?.id || '',
    });
    find(this.root, '[data-text="status"]', HTMLElement).dataset.status = status;
    this.#fact('description', description !== '');
    this.#fact('reason', status === 'disabled' && Boolean(credentials.disabled_reason));
    this.#fact('creator', creator !== null);
    this.#fact('tags', tags.length > 0);
    this.#fact('user', false);
    this.#timed('ended', status === 'disabled' ? credentials.disabled_at : null);
    this.#timed('revoke', status === 'disabled' ? credentials.revoke_at : null);
    showTime(find(this.root, '[data-time="created"]', HTMLTimeElement), credentials.created_at);
    this.#time('expires', credentials.expires_at, 'Never');
    this.#time('used', credentials.last_used_at, 'Never');
    const list = find(this.root, '[data-list="tags"]', HTMLElement);
    list.replaceChildren(
      ...tags.map((tag) => Object.assign(document.createElement('span'), { textContent: tag, dir: 'auto' })),
    );
    this.#rotation(credentials);
    for (const link of this.root.querySelectorAll<HTMLAnchorElement>('[data-guide]')) {
      const address = new URL(link.href);
      address.searchParams.set('region', credentials.region);
      address.searchParams.set('credentials', id);
      link.href = address.href;
    }
    this.show('ready');
    const allowed = allowedActions(credentials);
    for (const button of this.#actions) button.hidden = !allowed.includes(button.dataset.item as Action);
  }

  #rotation(credentials: Credentials): void {
    const { rotation, last_used_at: used, expires_at: expires } = credentials;
    this.#fact('rotation', rotation !== null);
    find(this.root, '[data-item="rotate"]', HTMLElement).textContent = rotation
      ? 'Finish or cancel rotation'
      : 'Rotate';
    if (!rotation) return;
    const { first_used_at: first, previous_last_used_at: previousUsed, previous_ends_at: ends } = rotation;
    fill(this.root, {
      previous:
        'previous_access_key' in rotation ? rotation.previous_access_key : rotation.previous_public_key,
      rotationNote:
        ends && Date.parse(ends) < Date.now()
          ? `The old key is still in use. It ends once it has not been used for 15 minutes, at most ${LONGEST_DELAY} after that time.`
          : '',
    });
    // The API has one time of last use for both keys. Before the first use of the new key, it is the previous key's.
    const previous = previousUsed ?? (first ? null : used);
    const latest = used && (!previous || used > previous) ? used : first;
    this.#time('newUsed', first && latest, 'Not yet');
    this.#time('firstUsed', first, 'Not yet');
    this.#time('previousUsed', previous, first ? 'Not since the rotation began' : 'Never');
    this.#time('newEnds', expires, 'Never');
    this.#time('previousEnds', ends, 'Some time after the first use of the new key');
  }

  /** Shows the latest use. Its time is more exact than that of the credentials. */
  describeLastUse({ at, network, client }: LastUse): void {
    this.#time('used', at, '');
    this.#fact('user', true).textContent = ` from ${network} with ${client}`;
  }

  nameAccount({ id, name, region }: NatsAccount): void {
    fill(this.root, { account: name });
    find(this.root, '[data-link="account"]', HTMLAnchorElement).href = accountPage(region, id);
  }

  nameRole(name: string): void {
    fill(this.root, { access: `Role ${name}` });
  }

  nameProject(product: ProductId, region: string, project: string, name: string): void {
    fill(this.root, { project: name });
    const [page, tab] =
      product === 'nats' ? ['/console/nats/', ''] : [ACCESS_KEY_PRODUCTS[product].page, '#credentials'];
    const at = new URLSearchParams({ region, project });
    find(this.root, '[data-link="project"]', HTMLAnchorElement).href = `${page}?${at}${tab}`;
  }

  #fact(name: string, shown: boolean): HTMLElement {
    const node = find(this.root, `[data-fact="${name}"]`, HTMLElement);
    node.hidden = !shown;
    return node;
  }

  /** Shows a sentence with a time, or hides it. */
  #timed(name: string, at: string | null): void {
    const node = this.#fact(name, at !== null);
    if (at) showTime(find(node, 'time', HTMLTimeElement), at);
  }

  /** Shows a time, or these words. */
  #time(name: string, at: string | null, otherwise: string): void {
    const node = find(this.root, `[data-time-or="${name}"]`, HTMLElement);
    const time = document.createElement('time');
    if (at) showTime(time, at);
    node.replaceChildren(at ? time : otherwise);
  }
}

function accessOf(credentials: Credentials): string {
  if ('permissions' in credentials) return accessLevel(credentials.permissions);
  return credentials.nats_role_id === null ? 'Full access' : `Role ${credentials.nats_role_id}`;
}

const keyOf = (credentials: Credentials) =>
  'access_key' in credentials ? credentials.access_key : credentials.public_key;
