/**
 * Creates an organization with its Owner, a first project and an API key. No endpoint does this, so that a stranger
 * cannot claim a newly deployed origin. The statements are in db/identity/bootstrap.ts.
 */
import { type ExistingUser, insertOrganization, type Statement } from '../../db/identity/bootstrap.ts';
import { hashSecretKey, newApiKey } from './principals/api-keys.ts';
import { hashPassword } from './sign-in/passwords.ts';

/** The Owner's password and API key; the secrets are stored nowhere else. */
export interface Owner {
  organization_id: string;
  project_id: string;
  email: string;
  password: string;
  access_key: string;
  secret_key: string;
}

/**
 * Returns the statements that create an organization and its Owner; run them as one batch. The Owner is a new person
 * with this password, or `user`. An existing person gets the password only if they cannot sign in yet or `newPassword`
 * is set, which also ends their sessions and links. With `onlyFirst` (without `user`) every statement does nothing if
 * an organization exists. `now` is in milliseconds since the epoch.
 */
export async function createOrganization(input: {
  organizationName: string;
  email: string;
  password: string;
  now: number;
  onlyFirst?: boolean;
  user?: ExistingUser | undefined;
  newPassword?: boolean;
}): Promise<{ owner: Owner; statements: Statement[] }> {
  const { organizationName, password, now, onlyFirst, user } = input;
  const email = input.email.toLowerCase();
  const organizationId = crypto.randomUUID();
  const { accessKey, secretKey } = newApiKey();
  const keepsPassword = user?.signsIn === true && !input.newPassword;
  const statements = insertOrganization({
    organizationId,
    organizationName,
    email,
    passwordHash: keepsPassword ? null : await hashPassword(password),
    apiKey: { accessKey, secretHash: await hashSecretKey(secretKey) },
    now,
    onlyFirst,
    user,
  });
  return {
    owner: {
      organization_id: organizationId,
      project_id: organizationId,
      email,
      password,
      access_key: accessKey,
      secret_key: secretKey,
    },
    statements,
  };
}
