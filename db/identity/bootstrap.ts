/**
 * The statements that create an organization with its Owner, a first project and an API key. They are plain text with
 * parameters because they run in different ways: directly in the local stack and the tests, through wrangler in
 * deployments. functions/iam/bootstrap.ts creates the secrets.
 */

/** A statement and its parameters, in order. */
export interface Statement {
  sql: string;
  params: (string | number | null)[];
}

/** A person who already exists, found by email address. */
export interface ExistingUser {
  id: string;
  signsIn: boolean;
  /** Whether the person chose their password through their email address, or the operator gave it to them. */
  verified: boolean;
}

/** Returns the statement that finds a {@link ExistingUser} by email address: `id`, `signs_in` and `verified` (0 or 1). */
export function findUser(email: string): Statement {
  return {
    sql: `select id, exists (select 1 from sign_in_methods where user_id = users.id) as signs_in,
      email_verified as verified from users where email = ?`,
    params: [email.toLowerCase()],
  };
}

/** An organization to create, with hashes of the Owner's secrets. */
export interface NewOrganization {
  organizationId: string;
  organizationName: string;
  /** The Owner's email address in lower case. */
  email: string;
  /** Null keeps the password of `user`. */
  passwordHash: string | null;
  apiKey: { accessKey: string; secretHash: string };
  /** Milliseconds since the epoch. */
  now: number;
  onlyFirst?: boolean | undefined;
  user?: ExistingUser | undefined;
}

/**
 * Returns the statements that create an organization and its Owner; run them as one batch. A new password of an existing
 * `user` also ends their sessions and links. With `onlyFirst` (without `user`) every statement does nothing if an
 * organization exists.
 */
export function insertOrganization(input: NewOrganization): Statement[] {
  const { organizationId, email, passwordHash, apiKey, now, user } = input;
  // As on Scaleway: clients without a project send the organization's id as the default project.
  const projectId = organizationId;
  const userId = user?.id ?? crypto.randomUUID();
  const rows: Row[] = [
    ['organizations', { id: organizationId, name: input.organizationName, created_at: now, updated_at: now }],
    ...(user ? [] : [userRow(userId, email, now)]),
    ...(passwordHash === null ? [] : [signInMethodRow(userId, passwordHash, now)]),
    [
      'memberships',
      { user_id: userId, organization_id: organizationId, role: 'owner', created_at: now, joined_at: now },
    ],
    [
      'projects',
      {
        id: projectId,
        organization_id: organizationId,
        name: 'default',
        description: '',
        status: 'active',
        created_at: now,
        updated_at: now,
      },
    ],
    [
      'api_keys',
      {
        access_key: apiKey.accessKey,
        secret_hash: apiKey.secretHash,
        organization_id: organizationId,
        user_id: userId,
        description: 'Created with the organization',
        default_project_id: projectId,
        created_at: now,
        updated_at: now,
      },
    ],
    [
      'audit_events',
      {
        at: now,
        organization_id: organizationId,
        project_id: projectId,
        actor_type: 'system',
        actor_id: 'bootstrap',
        request_id: crypto.randomUUID(),
        action: 'create',
        resource: 'organizations',
        resource_id: organizationId,
        after: JSON.stringify({ name: input.organizationName, owner: userId }),
      },
    ],
  ];
  const guard = input.onlyFirst
    ? `not exists (select 1 from organizations where id <> '${organizationId}')`
    : 'true';
  return [
    ...(user && passwordHash !== null ? removePassword(user.id, now) : []),
    ...rows.map(([table, row]) => ({
      sql: `insert into ${table} (${Object.keys(row).join(', ')}) select ${Object.keys(row)
        .map(() => '?')
        .join(', ')} where ${guard}`,
      params: Object.values(row),
    })),
  ];
}

type Row = [table: string, row: Record<string, string | number | null>];

const userRow = (id: string, email: string, now: number): Row => [
  'users',
  { id, name: email, email, email_verified: 1, created_at: now, updated_at: now },
];

function signInMethodRow(userId: string, passwordHash: string, now: number): Row {
  const method = { id: crypto.randomUUID(), account_id: userId, provider_id: 'credential', user_id: userId };
  return ['sign_in_methods', { ...method, password: passwordHash, created_at: now, updated_at: now }];
}

/** Deletes a person's password and ends its sessions and links, so that the operator can give them a new one. */
function removePassword(userId: string, now: number): Statement[] {
  return [
    {
      sql: `insert into audit_events (at, organization_id, actor_type, actor_id, request_id, action, resource,
          resource_id, after)
        select ?, organization_id, 'system', 'bootstrap', ?, 'update', 'passwords', user_id, ?
        from memberships where user_id = ? and joined_at is not null`,
      params: [
        now,
        crypto.randomUUID(),
        JSON.stringify({ by: 'operator', other_sessions: 'revoked' }),
        userId,
      ],
    },
    {
      sql: `delete from sign_in_methods where user_id = ? and provider_id = 'credential'`,
      params: [userId],
    },
    { sql: 'delete from sessions where user_id = ?', params: [userId] },
    { sql: 'delete from verifications where value = ?', params: [userId] },
    { sql: 'update users set email_verified = 1, updated_at = ? where id = ?', params: [now, userId] },
  ];
}
