/** The element `<organization-field>`: see organization-field.astro. */
import { offerOrganizations } from '../../lib/open-organization.ts';

class OrganizationField extends HTMLElement {
  connectedCallback(): void {
    void offerOrganizations(this);
  }
}

customElements.define('organization-field', OrganizationField);
