/** The names of an organization's principals. */

import { iam } from '../../api/api.ts';
import { fetchAllPages } from '../../api/request.ts';

export interface Principal {
  id: string;
  kind: 'member' | 'application';
  name: string;
  /** True for Owners. */
  owner?: boolean;
}

const cache = new Map<string, Promise<Principal[]>>();

/**
 * Lists the members and applications of an organization. Cached for the page unless `anew`. Leaves out those that the
 * reader cannot list.
 */
export function listPrincipals(organization: string, anew = false): Promise<Principal[]> {
  const cached = cache.get(organization);
  if (cached && !anew) return cached;
  const asking = read(organization);
  cache.set(organization, asking);
  return asking;
}

async function read(organization: string): Promise<Principal[]> {
  const of = { organization_id: organization };
  const [members, applications] = await Promise.all([
    fetchAllPages(
      (query) => iam.users.$get({ query: { ...of, ...query } }),
      ({ users }) => users,
    ),
    fetchAllPages(
      (query) => iam.applications.$get({ query: { ...of, ...query } }),
      (body) => body.applications,
    ),
  ]);
  const people = members.ok ? members.body : [];
  const programs = applications.ok ? applications.body : [];
  return [
    ...people.map(
      ({ id, first_name, email, type }): Principal => ({
        id,
        kind: 'member',
        name: first_name || email,
        owner: type === 'owner',
      }),
    ),
    ...programs.map(({ id, name }): Principal => ({ id, kind: 'application', name })),
  ];
}

/** Returns the name of a principal, or the start of the id if it is not listed. */
export function principalName(principals: readonly Principal[], id: string): string {
  return principals.find((principal) => principal.id === id)?.name ?? `${id.slice(0, 8)}…`;
}
