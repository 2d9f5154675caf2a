/**
 * Creates another organization with its Owner, in the database of a local stack or of a deployment. There is no
 * endpoint for this: it requires access to the database. owner.ts and deployment.ts create the first organization.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ExistingUser, findUser, type Statement } from '../../db/identity/bootstrap.ts';
import { createOrganization, type Owner } from '../../functions/iam/bootstrap.ts';
import { openDatabase } from './databases.ts';
import { type DeploymentActions, sqlText } from './deployment.ts';
import { newPassword, runStatements } from './owner.ts';
import { writePrivately } from './project.ts';

/** The used part of an identity database. */
export interface IdentityAccess {
  /** Returns the first row that a statement selects. */
  first(statement: Statement): Promise<Record<string, unknown> | undefined>;
  /** Runs statements in one transaction. */
  run(statements: readonly Statement[]): Promise<void>;
}

/** The new organization; the password is null for a user who keeps theirs. */
export type NewOrganization = Omit<Owner, 'password'> & { password: string | null };

/** The person who can sign in with the email might not be its owner; the message says what to do. */
export class NotVerified extends Error {
  constructor(email: string) {
    super(`${email} can already sign in, with a password that was set through an invitation link that other people also had.
The person who set it would own the new organization. Ask this person to reset the password by email, or add --new-password,
which generates and prints a new password and ends their sessions.`);
  }
}

/**
 * Creates an organization whose Owner is the user with this email, existing or new. An existing user keeps their
 * password unless `newPassword` is set; throws {@link NotVerified} if another person could know it.
 */
export async function newOrganization(
  access: IdentityAccess,
  { name, email, newPassword: replaced = false }: { name: string; email: string; newPassword?: boolean },
): Promise<NewOrganization> {
  const row = await access.first(findUser(email));
  const user: ExistingUser | undefined = row && {
    id: String(row.id),
    signsIn: row.signs_in === 1,
    verified: row.verified === 1,
  };
  const keepsPassword = user?.signsIn === true && !replaced;
  if (keepsPassword && !user.verified) throw new NotVerified(email);
  const { owner, statements } = await createOrganization({
    organizationName: name,
    email,
    password: newPassword(),
    now: Date.now(),
    user,
    newPassword: replaced,
  });
  await access.run(statements);
  return { ...owner, password: keepsPassword ? null : owner.password };
}

/** Opens the identity database of a local stack, running or not. */
export function localAccess(file: string): IdentityAccess {
  const open = <T>(work: (database: ReturnType<typeof openDatabase>) => T): T => {
    const database = openDatabase(file);
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  return {
    first: async ({ sql, params }) => open((database) => database.prepare(sql).get(...params)),
    run: async (statements) => open((database) => runStatements(database, statements)),
  };
}

/** Opens the identity database of a deployment through wrangler; `folder` is the operator's (deployment.ts). */
export function deployedAccess(
  database: string,
  folder: string,
  actions: Pick<DeploymentActions, 'ask' | 'run'>,
): IdentityAccess {
  const execute = ['d1', 'execute', database, '--remote', '--config', join(folder, 'wrangler.json')];
  return {
    async first(statement) {
      const printed = await actions.ask([...execute, '--json', '--command', sqlText([statement])]);
      return (JSON.parse(printed) as { results: Record<string, unknown>[] }[])[0]?.results[0];
    },
    async run(statements) {
      const file = join(folder, 'organization.sql');
      writePrivately(file, sqlText(statements));
      try {
        await actions.run([...execute, '--yes', '--file', file]);
      } finally {
        rmSync(file);
      }
    },
  };
}
