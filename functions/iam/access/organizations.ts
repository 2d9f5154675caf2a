/**
 * The organizations in which the caller can manage IAM. These permissions always cover a whole organization;
 * permissions in single projects are not considered.
 */
import type { Context } from 'hono';
import type { Access } from '../../../db/identity/fragments.ts';
import { ApiError, invalidArgument } from '../../shared/errors.ts';
import type { AppEnv } from '../../shared/http.ts';
import { authorize, isOwner } from './authorize.ts';
import { requireScope } from './require-access.ts';

const READ = { resource: 'iam', action: 'read' } as const;
const WRITE = { resource: 'iam', action: 'write' } as const;

/** The 403 that names the missing permission. `owner` means that only an Owner can do this. */
export function denied(resource: 'iam' | 'project' | 'owner', action: 'read' | 'write'): ApiError {
  return new ApiError('permissions_denied', { details: [{ resource, action }] });
}

/** Returns the organizations in which the caller has the permission, or only `asked`. Throws 403 if there is none. */
function organizations(c: Context<AppEnv>, permission: typeof READ | typeof WRITE, asked?: string | null) {
  const { organizationIds } = requireScope(c, permission);
  const found = organizationIds.filter((id) => !asked || id === asked);
  if (found.length === 0) throw denied(permission.resource, permission.action);
  return found;
}

/** Returns the organizations that a list covers: all that the caller can read, or `asked`. Throws 403. */
export function readableOrganizations(c: Context<AppEnv>, asked?: string | null): string[] {
  return organizations(c, READ, asked);
}

/** Returns the organizations in which the caller can create resources. Throws 403 if there is none. */
export function writableOrganizations(c: Context<AppEnv>): string[] {
  return organizations(c, WRITE);
}

/** Returns the organization for a new resource: `asked`, or the caller's only one. Throws 403 or 400. */
export function writableOrganization(c: Context<AppEnv>, asked?: string | null): string {
  const [organization, other] = organizations(c, WRITE, asked);
  if (organization === undefined || other) {
    throw invalidArgument(
      'organization_id',
      'required',
      'is required: you have access to several organizations',
    );
  }
  return organization;
}

/** Returns where the caller can see and change resources by id. Throws 403 if it can read none. */
export function accessOf(c: Context<AppEnv>): Access {
  const principal = c.get('principal');
  const writable = authorize(principal, WRITE);
  const readable = authorize(principal, READ);
  if (!readable.ok || readable.organizationIds.length === 0) throw denied(WRITE.resource, WRITE.action);
  return {
    readable: readable.organizationIds,
    writable: writable.ok ? writable.organizationIds : [],
    owned: readable.organizationIds.filter((id) => isOwner(principal, id)),
  };
}

/**
 * Returns the changed row if the caller can change it. Throws `missing` if the caller cannot see it, and 403 if it can
 * only read it.
 */
export function changed<Row extends { organizationId: string }>(
  row: Row | null,
  access: Access,
  missing: ApiError,
): Row {
  if (!row) throw missing;
  if (!access.writable.includes(row.organizationId)) throw denied(WRITE.resource, WRITE.action);
  return row;
}
