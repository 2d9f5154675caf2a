/**
 * Who may do what: one function, asked by every operation of the control plane. Everything that no rule grants is
 * denied. Reads nothing: the principal brings what it belongs to.
 */
import type { Bearer, Membership } from '../../db/identity/store.ts';

/** Who makes a request, authenticated. */
export type Principal = Omit<Bearer, 'expiresAt'>;

/** What is asked for. */
export interface Permission {
  /** `nats`, `sqs`, `sns`, `project` or `iam`. */
  resource: string;
  action: 'read' | 'write';
}

/** Where a principal may do it. */
export interface Scope {
  /** The organizations that grant it. */
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
  const granting = principal.memberships.filter((membership) => grants(membership, permission));
  const organizations = new Map<string, string>();
  for (const { organizationId, projectIds } of granting) {
    for (const id of projectIds) {
      if (projectId === undefined || id === projectId) organizations.set(id, organizationId);
    }
  }
  if (granting.length === 0 || (projectId !== undefined && organizations.size === 0)) return { ok: false };
  return {
    ok: true,
    organizationIds: granting.map(({ organizationId }) => organizationId),
    projectIds: [...organizations.keys()],
    organizationOf: (id) => {
      const organization = organizations.get(id);
      if (!organization) throw new Error('asked for the organization of a project outside the scope');
      return organization;
    },
  };
}

/** An Owner may do everything in the organization; so far nothing else grants anything. */
function grants({ role }: Membership, _permission: Permission): boolean {
  return role === 'owner';
}
