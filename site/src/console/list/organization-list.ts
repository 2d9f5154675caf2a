/** Base class of the lists of an organization, which follow the chosen organization. */

import type { CurrentPrincipal, Organization } from '../../api/api.ts';
import { loadOrganization, onOtherOrganization } from '../../workspace/load-organization.ts';
import { ListElement } from './list-element.ts';

export interface Context {
  principal: CurrentPrincipal;
  organization: Organization;
}

export abstract class OrganizationList<Resource> extends ListElement<Resource, Context> {
  protected open() {
    return loadOrganization();
  }

  protected onOtherContext(restart: () => void): void {
    onOtherOrganization(restart);
  }
}
