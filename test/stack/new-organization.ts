/**
 * A further organization with its Owner, in the database of a local stack or of a deployment. No endpoint makes one:
 * whoever has the database does. The first organization of either is made by its start (owner.ts, deployment.ts).
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { findUser, type KnownUser, type Statement } from '../../db/identity/bootstrap.ts';
import { createOrganization, type Owner } from '../../functions/iam/bootstrap.ts';
import { openDatabase } from './databases.ts';
import { type DeploymentActions, sqlText } from './deployment.ts';
import { newPassword, runStatements } from './owner.ts';
import { writePrivately } from './project.ts';

/** An identity database, as far as it is needed here. */
export interface IdentityAccess {
  /** The first row that a statement selects. */
  first(statement: Statement): Promise<Record<string, unknown> | undefined>;
  /** Runs statements, all or none. */
  run(statements: readonly Statement[]): Promise<void>;
}

/** The new organization; the password is null for who keeps theirs. */
export type NewOrganization = Omit<Owner, 'password'> & { password: string | null };

/** Whoever signs in with the address may be somebody else than who has it; the message says what to do. */
export class NotVerified extends Error {
  constructor(email: string) {
    super(`${email} can already sign in, with a password that was set through an invitation link that other people also had.
The person who set it would own the new organization. Ask this person to reset the password by email, or add --new-password,
which generates and prints a new password and ends their sessions.`);
  }
}

/**
 * Creates an organization whose Owner is the person with this e-mail address, known already or new. Who can sign in keeps
 * their password unless `newPassword` is set; throws {@link NotVerified} when that may be in somebody else's hands.
 */
export async function newOrganization(
  access: IdentityAccess,
  { name, email, newPassword: replaced = false }: { name: string; email: string; newPassword?: boolean },
): Promise<NewOrganization> {
  const row = await access.first(findUser(email));
  const user: KnownUser | undefined = row && {
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

/** The identity database of a local stack, which may run or not. */
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

/** The identity database of a deployment, through wrangler; `folder` is the operator's (deployment.ts). */
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
