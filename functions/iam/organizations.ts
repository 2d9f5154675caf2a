/**
 * In which organizations the caller may manage who may do what. Such a right is always for the whole of an
 * organization; what is granted in single projects is not asked here.
 */
import type { Context } from 'hono';
import type { Access } from '../../db/identity/fragments.ts';
import { type AppEnv, requireScope } from '../app.ts';
import { ApiError, invalidArgument } from '../errors.ts';
import { authorize, isOwner } from './policies.ts';

const READ = { resource: 'iam', action: 'read' } as const;
const WRITE = { resource: 'iam', action: 'write' } as const;

/** The refusal that names what is missing. `owner` is being an Owner. */
export function denied(resource: 'iam' | 'project' | 'owner', action: 'read' | 'write'): ApiError {
  return new ApiError('permissions_denied', { details: [{ resource, action }] });
}

/** The organizations in which the caller may do this, of all or just of the one asked for. Throws 403 without any. */
function organizations(c: Context<AppEnv>, permission: typeof READ | typeof WRITE, asked?: string | null) {
  const { organizationIds } = requireScope(c, permission);
  const found = organizationIds.filter((id) => !asked || id === asked);
  if (found.length === 0) throw denied(permission.resource, permission.action);
  return found;
}

/** The organizations that a list covers: those that the caller may read, or the one asked for. Throws 403. */
export function readableOrganizations(c: Context<AppEnv>, asked?: string | null): string[] {
  return organizations(c, READ, asked);
}

/** The organizations in which the caller may create something. Throws 403 without any. */
export function writableOrganizations(c: Context<AppEnv>): string[] {
  return organizations(c, WRITE);
}

/** The organization that something is created in: the one asked for, or the caller's only one. Throws 403 or 400. */
export function writableOrganization(c: Context<AppEnv>, asked?: string | null): string {
  const [organization, other] = organizations(c, WRITE, asked);
  if (organization === undefined || other) {
    throw invalidArgument('organization_id', 'required', 'is required: you act in several organizations');
  }
  return organization;
}

/** Where the caller may see and change what it names by an id. Throws 403 when it may not even see any. */
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
 * What the change was asked of, once it is certain that the caller may change it. Throws `missing` for what it may not
 * see, 403 for what it may see only.
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
