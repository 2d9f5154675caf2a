/** The element `<organization-field>`. */
import { loadOrganization } from './load-organization.ts';

class OrganizationField extends HTMLElement {
  async connectedCallback(): Promise<void> {
    const opened = await loadOrganization();
    if (!opened.ok || opened.principal.organizations.length < 2) return;
    const code = await import('./organization-options.ts').catch(() => undefined);
    code?.fillOrganizationOptions(this, opened.principal.organizations, opened.organization.id);
  }
}

customElements.define('organization-field', OrganizationField);
