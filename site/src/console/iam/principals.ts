/** What people call those who act in an organization: its members and applications, by their id. */

import { iam } from '../../api/api.ts';
import { fetchAllPages } from '../../api/request.ts';

/** A member or an application. */
export interface Principal {
  id: string;
  kind: 'member' | 'application';
  name: string;
  /** Whether it is a member that may do everything. */
  owner?: boolean;
}

const cache = new Map<string, Promise<Principal[]>>();

/**
 * The members and applications of an organization. Asked once for each page, unless `anew`; what may not be read is left
 * out.
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

/** The name of one of them; of somebody who is gone or not to be read, the beginning of the id. */
export function principalName(principals: readonly Principal[], id: string): string {
  return principals.find((principal) => principal.id === id)?.name ?? `${id.slice(0, 8)}…`;
}
