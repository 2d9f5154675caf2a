/** Access checks of routes: return where the caller has a permission, or throw the error for the client. */
import type { Context } from 'hono';
import { ApiError } from '../../shared/errors.ts';
import type { AppEnv } from '../../shared/http.ts';
import { authorize, type Scope } from './authorize.ts';
import type { Permission } from './permission-sets.ts';

/**
 * Returns the scope in which the caller has the permission (see {@link authorize}). Throws 403 `permissions_denied`
 * with the missing permission.
 */
export function requireScope(c: Context<AppEnv>, permission: Permission, projectId?: string): Scope {
  const scope = authorize(c.get('principal'), permission, projectId);
  if (!scope.ok) throw new ApiError('permissions_denied', { details: [{ ...permission }] });
  return scope;
}

const SEE_PROJECT = { resource: 'project', action: 'read' } as const;

/**
 * Returns the scope of an operation in the project of the request. Throws `missing` (404) for a project that the
 * caller cannot see, so that it cannot be distinguished from one that does not exist. Throws 403 `permissions_denied`
 * for a project that the caller can see, and for a caller without access to the resource in any project.
 */
export function requireInProject(
  c: Context<AppEnv>,
  permission: Permission,
  projectId: string,
  missing: ApiError = missingProject(projectId),
): Scope {
  const principal = c.get('principal');
  const scope = authorize(principal, permission, projectId);
  if (scope.ok) return scope;
  const hasAccess = authorize(principal, { ...permission, action: 'read' }).ok;
  if (hasAccess && !authorize(principal, SEE_PROJECT, projectId).ok) throw missing;
  throw new ApiError('permissions_denied', { details: [{ ...permission }] });
}

export function missingProject(id: string): ApiError {
  return new ApiError('not_found', { resource: 'project_id', resource_id: id });
}

/**
 * Returns the projects in which the caller can change a resource given by id. Throws 403 `permissions_denied` if the
 * caller cannot even read any.
 */
export function writableProjects(c: Context<AppEnv>, resource: Permission['resource']): string[] {
  const writable = authorize(c.get('principal'), { resource, action: 'write' });
  const readable = authorize(c.get('principal'), { resource, action: 'read' });
  if (!writable.ok && !readable.ok) requireScope(c, { resource, action: 'write' });
  return writable.ok ? writable.projectIds : [];
}

/**
 * Returns the error for a change to a resource that was not found in {@link writableProjects}: 403 if the caller can
 * read it (`exists` looks in these projects), otherwise `missing`, so that other organizations' resources cannot be
 * distinguished from missing ones.
 */
export async function refusalOfChange(
  c: Context<AppEnv>,
  resource: Permission['resource'],
  missing: ApiError,
  exists: (projectIds: readonly string[]) => Promise<unknown>,
): Promise<ApiError> {
  const readable = authorize(c.get('principal'), { resource, action: 'read' });
  const writable = writableProjects(c, resource);
  const others = readable.ok ? readable.projectIds.filter((id) => !writable.includes(id)) : [];
  if (others.length === 0 || !(await exists(others))) return missing;
  return new ApiError('permissions_denied', { details: [{ resource, action: 'write' }] });
}
