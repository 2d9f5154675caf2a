/** The element `<iam-settings>`: shows the longest duration of credentials, which Owners can change. */
import { iam, type Organization } from '../../api/api.ts';
import { LatestRequest } from '../../api/request.ts';
import { fill, find, loadFor } from '../../ui/dom.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';
import { onStale, Panel } from '../../ui/panels/panel.ts';
import { loadOrganization, onOtherOrganization } from '../../workspace/load-organization.ts';
import { durationText } from './duration-text.ts';

class SettingsPanel extends Panel {
  bind(reactions: { retry: () => unknown; change: (button: HTMLElement) => unknown }): void {
    this.on('retry', reactions.retry);
    this.on('change', reactions.change);
  }
}

class IamSettings extends HTMLElement {
  readonly #latest = new LatestRequest();
  readonly #panel = new SettingsPanel(this, 'settings');
  #organization: Organization | undefined;
  #seconds = 0;

  connectedCallback(): void {
    this.#panel.bind({ retry: () => this.#start(), change: (button) => this.#change(button) });
    onOtherOrganization(() => this.#start());
    onStale(this.#panel, {
      start: () => this.#start(),
      open: loadOrganization,
      again: () => this.#load(true),
    });
    void this.#start();
  }

  async #start(): Promise<void> {
    this.#panel.show('loading');
    this.#changeButton.hidden = true;
    const opened = await loadOrganization();
    if (!opened.ok) return this.#panel.fail(opened.problem);
    this.#organization = opened.organization;
    await this.#load();
  }

  /** Loads the setting. `quiet` keeps what is shown if the request fails. */
  async #load(quiet = false): Promise<void> {
    const organization = this.#organization;
    if (!organization) return;
    const param = { organization_id: organization.id };
    const result = await this.#latest.fetchResult((init) =>
      iam.organizations[':organization_id']['security-settings'].$get({ param }, { init }),
    );
    if (organization !== this.#organization) return;
    if (result.ok) this.#render(result.body.max_credentials_duration);
    else {
      this.#panel.fail(result.problem, quiet);
      this.#changeButton.hidden = !this.#panel.shown;
    }
  }

  #render(seconds: number): void {
    this.#seconds = seconds;
    fill(this, { duration: durationText(seconds) });
    this.#changeButton.hidden = this.#organization?.role !== 'owner';
    this.#panel.show('ready');
  }

  async #change(button: HTMLElement): Promise<void> {
    const organization = this.#organization;
    if (!organization) return;
    const actions = await loadFor(button, import('./iam-settings.actions.ts'));
    if (!actions) return this.#panel.announce(UNLOADED);
    const changed = await actions.change(this, organization.id, this.#seconds);
    if (!changed || organization !== this.#organization) return;
    this.#render(changed.seconds);
    this.#panel.announce(changed.notice);
  }

  get #changeButton(): HTMLButtonElement {
    return find(this, '[data-action="change"]', HTMLButtonElement);
  }
}

customElements.define('iam-settings', IamSettings);
