/**
 * Creates an organization with its Owner, a first project and an API key, as statements for whoever has the database:
 * the local stack and the tests run them on their own, deployment through wrangler. No endpoint does this, so that a
 * deployed origin cannot be claimed by whoever comes first.
 */
import { hashSecretKey, newApiKey } from '../../functions/iam/api-keys.ts';
import { hashPassword } from '../../functions/iam/passwords.ts';

/** What the Owner signs in and calls with; the secrets are nowhere else. */
export interface Owner {
  organization_id: string;
  project_id: string;
  email: string;
  password: string;
  access_key: string;
  secret_key: string;
}

/** A statement with its parameters, in order. */
export interface Statement {
  sql: string;
  params: (string | number | null)[];
}

/** Someone who is known already, by their e-mail address. */
export interface KnownUser {
  id: string;
  /** Whether they can sign in: they keep their password then. */
  signsIn: boolean;
}

/** The statement that finds a {@link KnownUser} by an e-mail address: `id`, and `signs_in` as 0 or 1. */
export function findUser(email: string): Statement {
  return {
    sql: `select id, exists (select 1 from sign_in_methods where user_id = users.id) as signs_in
      from users where email = ?`,
    params: [email.toLowerCase()],
  };
}

/**
 * The statements that create the organization, to be run as one batch, and its Owner: somebody new with this password,
 * or the `user` given, who gets the password only if they could not sign in yet. Every statement does nothing when
 * `onlyFirst` is set and there is an organization already. `now` is milliseconds since the epoch.
 */
export async function createOrganization(input: {
  organizationName: string;
  email: string;
  password: string;
  now: number;
  onlyFirst?: boolean;
  user?: KnownUser | undefined;
}): Promise<{ owner: Owner; statements: Statement[] }> {
  const { now } = input;
  const email = input.email.toLowerCase();
  const organizationId = crypto.randomUUID();
  const projectId = crypto.randomUUID();
  const userId = input.user?.id ?? crypto.randomUUID();
  const key = newApiKey();
  const rows: Row[] = [
    ['organizations', { id: organizationId, name: input.organizationName, created_at: now, updated_at: now }],
    ...(await personRows(input, userId, email)),
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
        access_key: key.accessKey,
        secret_hash: await hashSecretKey(key.secretKey),
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
  return {
    owner: {
      organization_id: organizationId,
      project_id: projectId,
      email,
      password: input.password,
      access_key: key.accessKey,
      secret_key: key.secretKey,
    },
    statements: rows.map(([table, row]) => ({
      sql: `insert into ${table} (${Object.keys(row).join(', ')}) select ${Object.keys(row)
        .map(() => '?')
        .join(', ')} where ${guard}`,
      params: Object.values(row),
    })),
  };
}

type Row = [table: string, row: Record<string, string | number | null>];

/** What is missing of the Owner: the user, and how they sign in. */
async function personRows(
  { user, password, now }: { user?: KnownUser | undefined; password: string; now: number },
  userId: string,
  email: string,
): Promise<Row[]> {
  const times = { created_at: now, updated_at: now };
  const rows: Row[] = [];
  if (!user) rows.push(['users', { id: userId, name: email, email, email_verified: 1, ...times }]);
  if (!user?.signsIn) {
    const hash = await hashPassword(password);
    const method = {
      id: crypto.randomUUID(),
      account_id: userId,
      provider_id: 'credential',
      user_id: userId,
    };
    rows.push(['sign_in_methods', { ...method, password: hash, ...times }]);
  }
  return rows;
}
