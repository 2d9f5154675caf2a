/**
 * Creates and changes NATS roles, and gives credentials one. The permissions of a role are a template in the account JWT
 * (role-template.ts), so a change applies to all its credentials at once.
 */
import type { IdempotentRequest } from '../../db/idempotency.ts';
import type { NatsAccount } from '../../db/region/accounts.ts';
import {
  getRole,
  createRole as insertRole,
  type NatsRole,
  type RoleRef,
  updateRole as replaceRole,
} from '../../db/region/roles.ts';
import { ApiError, invalidArgument } from '../shared/errors.ts';
import type { WriteContext } from '../shared/write-context.ts';
import { newSigningKey } from './accounts.ts';
import {
  canonicalText,
  definitionOf,
  MAX_ROLE_BYTES,
  type RoleDefinition,
  scopeOf,
  sizeOf,
} from './role-template.ts';
import { listServers } from './servers.ts';
import { supportsConnectionTypes } from './versions.ts';

/** Creates a role of a NATS account in one of these projects. */
export async function createRole(
  context: WriteContext,
  { natsAccountId, name, definition }: { natsAccountId: string; name: string; definition: RoleDefinition },
  projectIds: readonly string[],
  idempotency: IdempotentRequest | null,
): ReturnType<typeof insertRole> {
  await requireSupport(context, definition);
  const id = crypto.randomUUID();
  const key = await newSigningKey(context, 'nats_role', id);
  const content = contentOf({ id, ...key }, name, definition);
  const limits = { roles: context.quotas.nats_roles, bytes: MAX_ROLE_BYTES };
  const role = { id, natsAccountId, ...content, ...key };
  return insertRole(context.regionDb, context.audit, role, { projectIds, limits, idempotency });
}

/** A change of a role; undefined keeps a value. */
export interface RoleChange {
  name: string | undefined;
  /** An undefined member keeps its value, null removes the restriction. */
  definition: { [Member in keyof RoleDefinition]?: RoleDefinition[Member] | null | undefined };
}

/** Changes a role; concurrent changes of different members merge. Fails with `not_found` or `bytes`. */
export async function changeRole(
  context: WriteContext,
  ref: RoleRef,
  { name, definition }: RoleChange,
): Promise<Exclude<Awaited<ReturnType<typeof replaceRole>>, { reason: 'changed' }>> {
  for (;;) {
    const from = await getRole(context.regionDb, ref);
    if (!from) return { ok: false, reason: 'not_found' };
    const old = definitionOf(from);
    const merged = Object.fromEntries(
      Object.entries({ ...old, ...defined(definition) }).filter(([, value]) => value !== null),
    ) as unknown as RoleDefinition;
    const to = contentOf(from, name ?? from.name, merged);
    if (to.name === from.name && to.definition === from.definition) return { ok: true, row: from };
    if (definition.connection_types) await requireSupport(context, merged);
    const replaced = await replaceRole(context.regionDb, context.audit, ref, {
      from,
      to,
      maxBytes: MAX_ROLE_BYTES,
    });
    // Another change came first: merge with its result.
    if (replaced.ok || replaced.reason !== 'changed') return replaced;
  }
}

const defined = (members: object) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

function contentOf(role: { id: string; signingKey: string }, name: string, definition: RoleDefinition) {
  return { name, definition: canonicalText(definition), size: sizeOf(scopeOf(role, definition)) };
}

/** Throws 400 if a server of the region would not apply the connection types. Servers that do not respond are ignored. */
async function requireSupport(
  { region, nats }: Pick<WriteContext, 'region' | 'nats'>,
  { connection_types }: RoleDefinition,
): Promise<void> {
  if (!connection_types) return;
  const { listed } = await listServers(region, Date.now() + nats.push_deadline_ms);
  const old = listed.find(({ version }) => version !== null && !supportsConnectionTypes(version));
  if (old) {
    const help = `requires nats-server 2.10 or later, but the server ${old.name} of this region is ${old.version}`;
    throw invalidArgument('connection_types', 'constraint', help);
  }
}

/** Returns a role of the account, or null for no role. Throws 404 if the account has no such role. */
export async function roleOf(
  { regionDb }: Pick<WriteContext, 'regionDb'>,
  account: NatsAccount,
  id: string | null,
): Promise<NatsRole | null> {
  if (id === null) return null;
  const role = await getRole(regionDb, { id, projectIds: [account.projectId] });
  if (role?.natsAccountId !== account.id) throw missingRole(id);
  return role;
}

export const missingRole = (id: string) =>
  new ApiError('not_found', { resource: 'nats_role', resource_id: id });
