/**
 * Who may do what: one function, asked by every operation of the control plane. Everything that no rule grants is
 * denied. Reads nothing: the principal brings what it belongs to. What a permission set allows is in permission-sets.ts.
 */
import type { Bearer, Membership } from '../../db/identity/bearers.ts';
import { grants, type Permission } from './permission-sets.ts';

/** Who makes a request, authenticated. */
export type Principal = Omit<Bearer, 'expiresAt' | 'lastUsedAt'>;

/** Where a principal may do something. */
export interface Scope {
  /** The organizations in the whole of which it is granted. */
  organizationIds: string[];
  /** The projects in which it is granted. */
  projectIds: string[];
  /** The organization of one of these projects. */
  organizationOf(projectId: string): string;
}

/**
 * Where the principal may do it: in every project that a rule names, or in the one asked for. `ok` is false when it
 * may do so nowhere; a project of somebody else is no different from one that does not exist.
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

/** In which projects of the organization it is granted; `all` for the whole organization. An Owner may do everything. */
function grantedIn({ role, rules }: Membership, permission: Permission): typeof ALL | ReadonlySet<string> {
  if (role === 'owner') return ALL;
  const granting = rules.filter(({ permissionSets }) =>
    permissionSets.some((name) => grants(name, permission)),
  );
  if (granting.some(({ projectIds }) => projectIds === null)) return ALL;
  return new Set(granting.flatMap(({ projectIds }) => projectIds ?? []));
}

/** Whether the principal is an Owner of the organization. */
export function isOwner({ memberships }: Principal, organizationId: string): boolean {
  return memberships.some((one) => one.organizationId === organizationId && one.role === 'owner');
}
