/** People for tests: invited by an Owner, joined through their links, with permissions from policies. */
import { expect, vi } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { acceptInvitation } from '../../db/identity/invitations.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { hashLinkToken } from '../../functions/iam/sign-in/link-tokens.ts';
import { systemAuditContext } from '../../functions/shared/write-context.ts';
import { env } from './env.ts';
import { call, cheapHash, identityRows, type SignedIn, signIn } from './harness.ts';

/** The configured public address, which differs from the address that tests call. */
export const SITE_URL = 'https://pages.latchkey.test';

/** The path of members. */
export const USERS = '/iam/v1alpha1/users';

/** Returns an unused email address. */
export const newEmail = (): string => `${crypto.randomUUID()}@example.com`;

/** Returns a unique, long enough password. */
export const newPassword = (): string => crypto.randomUUID();

/** Invites an email address to the Owner's organization. */
export const invite = (owner: Owner, email: string) =>
  call('POST', USERS, {
    token: owner.secret_key,
    body: { organization_id: owner.organization_id, email },
  });

/** Returns the token of an invitation link. */
export const tokenOf = (url: string): string => new URL(url).hash.slice(1);

/** The test's environment with email enabled: emails go to the console. Links lead to {@link SITE_URL}. */
export const envWithEmail: typeof env = { ...env, MAIL: { transport: 'console' }, SITE: { url: SITE_URL } };

/** Returns the emails sent while `work` runs with {@link envWithEmail}, and afterwards until there are `wanted`. */
export async function emailsDuring(work: () => Promise<unknown>, wanted = 0): Promise<string[]> {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  const mails = () =>
    log.mock.calls.map(([line]) => String(line)).filter((line) => line.startsWith('Email to '));
  try {
    await work();
    await vi.waitFor(() => expect(mails().length).toBeGreaterThanOrEqual(wanted), 10_000);
    return mails();
  } finally {
    log.mockRestore();
  }
}

/** Invites an address and returns the token of the link in the email. */
export async function inviteByEmail(by: SignedIn, organization_id: string, email: string): Promise<string> {
  const [mail = ''] = await emailsDuring(() =>
    by.post(USERS, { organization_id, email }, { env: envWithEmail }),
  );
  return tokenOf(/https:\S+/.exec(mail)?.[0] ?? '');
}

/** A person who has joined an organization. */
export interface Person {
  id: string;
  email: string;
  password: string;
}

/** Creates a person who has joined the Owner's organization, with a cheap password hash: see {@link cheapHash}. */
export async function newMember(owner: Owner, name = 'New'): Promise<Person> {
  const email = newEmail();
  const password = newPassword();
  const invited = await invite(owner, email);
  const { id } = invited.body;
  const accepted = await acceptInvitation(
    openDatabase(env.IDENTITY),
    { ...systemAuditContext(), actorType: 'user', actorId: id },
    {
      tokenHash: await hashLinkToken(tokenOf(invited.body.invitation_url)),
      userId: id,
      organizationId: owner.organization_id,
    },
    { name, passwordHash: cheapHash(password) },
  );
  if (!accepted) throw new Error('the invitation could not be accepted');
  return { id, email, password };
}

/** Adds a person with an account to the Owner's organization. */
export async function join(owner: Owner, person: { email: string }, browser: SignedIn): Promise<void> {
  const token = tokenOf((await invite(owner, person.email)).body.invitation_url);
  const accepted = await browser.post('/auth/accept-invitation', { token });
  if (accepted.status !== 200)
    throw new Error(`accepting the invitation returned ${accepted.status}: ${accepted.text}`);
}

/** Signs the Owner in to a browser, and returns it with the Owner's user ID. */
export async function atBrowser(owner: Owner): Promise<{ id: string; browser: SignedIn }> {
  const [row] = await identityRows<{ id: string }>('select id from users where email = ?', owner.email);
  return { id: row?.id ?? '', browser: await signIn(owner.email, owner.password) };
}

/** Inserts a policy that grants one permission set in the whole organization. */
export async function grant(owner: Owner, userId: string, permissionSet: string): Promise<string> {
  const id = crypto.randomUUID();
  const now = Date.now();
  await env.IDENTITY.batch([
    env.IDENTITY.prepare(
      `insert into policies (id, organization_id, name, description, user_id, created_at, updated_at)
       values (?, ?, 'granted', '', ?, ?, ?)`,
    ).bind(id, owner.organization_id, userId, now, now),
    env.IDENTITY.prepare(
      'insert into rules (id, policy_id, position, permission_sets, project_ids) values (?, ?, 0, ?, null)',
    ).bind(crypto.randomUUID(), id, JSON.stringify([permissionSet])),
  ]);
  return id;
}

/** Returns an organization's audit rows in identity, oldest first: `action resource resource_id`. */
export async function auditTrail(owner: Owner): Promise<string[]> {
  const rows = await identityRows<{ line: string }>(
    `select action || ' ' || resource || ' ' || resource_id as line from audit_events
     where organization_id = ? order by id`,
    owner.organization_id,
  );
  return rows.map(({ line }) => line);
}
