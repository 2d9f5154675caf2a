/** Loads the principal and the chosen organization, for the pages of an organization. */

import { type CurrentPrincipal, iam, type Organization } from '../api/api.ts';
import type { Problem } from '../api/errors.ts';
import { fetchResult, type Result } from '../api/request.ts';
import { currentSession, SESSION_CHANGED } from '../api/session.ts';
import { currentSelection, SELECTION_CHANGED, type Selection } from './selection.ts';

export type Opened =
  | { ok: true; principal: CurrentPrincipal; organization: Organization }
  | { ok: false; problem: Problem };

const NO_ORGANIZATION = 'You belong to no organization. Ask an Owner for an invitation.';

let principalRequest: Promise<Result<CurrentPrincipal>> | undefined;
document.addEventListener(SESSION_CHANGED, () => (principalRequest = undefined));

/** Returns the organization that was chosen last, or else the first. Requested once per page; failures are not cached. */
export async function loadOrganization(): Promise<Opened> {
  const session = await currentSession();
  if (!session.ok) return session;
  if (!session.body) return { ok: false, problem: { kind: 'signed-out' } };
  principalRequest ??= fetchResult(() => iam.principal.$get());
  const result = await principalRequest;
  if (!result.ok) {
    principalRequest = undefined;
    return result;
  }
  const { organizations } = result.body;
  const organization =
    organizations.find(({ id }) => id === currentSelection().organization) ?? organizations[0];
  return organization
    ? { ok: true, principal: result.body, organization }
    : { ok: false, problem: { kind: 'refused', message: NO_ORGANIZATION } };
}

/** Calls `react` when the reader chooses another organization. */
export function onOtherOrganization(react: () => unknown): void {
  let before = currentSelection().organization;
  document.addEventListener(SELECTION_CHANGED, (event) => {
    const { organization } = (event as CustomEvent<Selection>).detail;
    if (organization === before) return;
    before = organization;
    void react();
  });
}
