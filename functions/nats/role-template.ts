/**
 * Composes the template of a NATS role: the permissions and limits that servers apply to every user whose JWT the role's
 * key signed. Servers compare templates by value and order, and a difference disconnects the role's users, so equal
 * definitions always give equal templates.
 */
import { DENIED, UNLIMITED, type UserScope } from './jwt.ts';
import type { ConnectionType } from './role-schemas.ts';

/** Subjects; wildcards are allowed. */
export interface Subjects {
  /** Empty for none. */
  allow: readonly string[];
  /** Exceptions from `allow`. */
  deny: readonly string[];
}

/** The permissions and limits of a role. Absent members restrict nothing, except that replies are not allowed. */
export interface RoleDefinition {
  publish: Subjects;
  subscribe: Subjects;
  /** Allows `max` replies to each received message, to whatever reply subject it has. */
  responses?: { max: number; ttl_seconds: number } | undefined;
  /** CIDR blocks. */
  source_ips?: readonly string[] | undefined;
  connection_types?: readonly ConnectionType[] | undefined;
  max_subscriptions?: number | undefined;
  /** Bytes of a message. */
  max_payload?: number | undefined;
}

/** Returns the definition as canonical JSON: without duplicates, and the same for every order of its lists. */
export function canonicalText(definition: RoleDefinition): string {
  const { publish, subscribe, responses, source_ips, connection_types, max_subscriptions, max_payload } =
    definition;
  const subjects = ({ allow, deny }: Subjects) => ({ allow: sorted(allow), deny: sorted(deny) });
  return JSON.stringify({
    publish: subjects(publish),
    subscribe: subjects(subscribe),
    responses: responses && { max: responses.max, ttl_seconds: responses.ttl_seconds },
    source_ips: source_ips && sorted(source_ips),
    connection_types: connection_types && sorted(connection_types),
    max_subscriptions,
    max_payload,
  } satisfies Record<keyof RoleDefinition, unknown>);
}

/** Returns the permissions and limits of a row. */
export function definitionOf({ definition }: { definition: string }): RoleDefinition {
  return JSON.parse(definition) as RoleDefinition;
}

const sorted = <Text extends string>(list: readonly Text[]) => [...new Set(list)].sort();

/** Returns the entry of a role in its account's JWT. The id identifies it there, because a name can change. */
export function scopeOf(role: { id: string; signingKey: string }, definition: RoleDefinition): UserScope {
  const { publish, subscribe, responses, source_ips, connection_types, max_subscriptions, max_payload } =
    definition;
  return {
    kind: 'user_scope',
    key: role.signingKey,
    role: role.id,
    template: {
      pub: permission(publish, DENIED),
      sub: permission(subscribe, []),
      ...(responses && { resp: { max: responses.max, ttl: responses.ttl_seconds * 1_000_000_000 } }),
      ...(source_ips?.length && { src: sorted(source_ips) }),
      subs: max_subscriptions ?? UNLIMITED,
      data: UNLIMITED,
      payload: max_payload ?? UNLIMITED,
      ...(connection_types?.length && {
        allowed_connection_types: sorted(connection_types).map((type) => type.toUpperCase()),
      }),
    },
  };
}

/** The server reads an absent or empty list of allowed subjects as all subjects. */
function permission({ allow, deny }: Subjects, always: readonly string[]) {
  const denied = sorted([...deny, ...always, ...(allow.length === 0 ? ['>'] : [])]);
  return {
    ...(allow.length > 0 && { allow: sorted(allow) }),
    ...(denied.length > 0 && { deny: denied }),
  };
}

/** The bytes of an account JWT that its roles can take together. The rest of 1 MiB is for revocations. */
export const MAX_ROLE_BYTES = 150_000;

/** Returns how many bytes a role takes of its account's JWT: base64url of its entry and a comma. */
export function sizeOf(scope: UserScope): number {
  const bytes = new TextEncoder().encode(JSON.stringify(scope)).length + 1;
  return Math.ceil((bytes * 4) / 3);
}
