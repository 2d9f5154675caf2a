/**
 * Authorizes every operation of the control plane; what no rule grants is denied. It reads no database: the principal
 * carries its memberships. permission-sets.ts defines what each set allows.
 */
import type { Membership } from '../../../db/identity/callers.ts';
import type { Principal } from '../../shared/http.ts';
import { grants, type Permission } from './permission-sets.ts';

/** Where a principal has a permission. */
export interface Scope {
  /** Organizations in which the permission covers every project. */
  organizationIds: string[];
  projectIds: string[];
  /** Returns the organization of one of these projects. */
  organizationOf(projectId: string): string;
}

/**
 * Returns where the principal has the permission: in every project that a rule names, or in the requested one. `ok` is
 * false if there is none. Another organization's project is indistinguishable from a missing one.
 */
export function authorize(
  principal: Principal,
  permission: Permission,
  projectId?: string,
): ({ ok: true } & Scope) | { ok: false } {
  const organizationIds: string[] = [];
  const projects = new Map<string, string>();
  for (const membership of principal.memberships) {
    const granted = grantedIn(membership, permission);
    if (granted === ALL) organizationIds.push(membership.organizationId);
    for (const id of membership.projectIds) {
      if ((projectId === undefined || id === projectId) && (granted === ALL || granted.has(id))) {
        projects.set(id, membership.organizationId);
      }
    }
  }
  const somewhere = projectId === undefined && organizationIds.length > 0;
  if (projects.size === 0 && !somewhere) return { ok: false };
  return {
    ok: true,
    organizationIds,
    projectIds: [...projects.keys()],
    organizationOf: (id) => {
      const organization = projects.get(id);
      if (!organization) throw new Error('asked for the organization of a project outside the scope');
      return organization;
    },
  };
}

const ALL = 'all';

/** Returns the projects of the organization with the permission, or `all`. An Owner has every permission. */
function grantedIn({ role, rules }: Membership, permission: Permission): typeof ALL | ReadonlySet<string> {
  if (role === 'owner') return ALL;
  const granting = rules.filter(({ permissionSets }) =>
    permissionSets.some((name) => grants(name, permission)),
  );
  if (granting.some(({ projectIds }) => projectIds === null)) return ALL;
  return new Set(granting.flatMap(({ projectIds }) => projectIds ?? []));
}

export function isOwner({ memberships }: Principal, organizationId: string): boolean {
  return memberships.some((one) => one.organizationId === organizationId && one.role === 'owner');
}
