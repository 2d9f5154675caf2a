/** People for tests: invited by an Owner, joined by their links, granted something by policies. */
import { expect, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { env } from './env.ts';
import { call, identityRows, postAuth, type SignedIn, signIn } from './harness.ts';

/** The configured public address, another than the one at which tests call. */
export const SITE_URL = 'https://pages.latchkey.test';

/** Where members are. */
export const USERS = '/iam/v1alpha1/users';

/** An address that nobody has. */
export const newEmail = (): string => `${crypto.randomUUID()}@example.com`;

/** A password that is long enough, of no one else. */
export const newPassword = (): string => crypto.randomUUID();

/** Invites an address into the Owner's organization. */
export const invite = (owner: Owner, email: string) =>
  call('POST', USERS, {
    token: owner.secret_key,
    body: { organization_id: owner.organization_id, email },
  });

/** The token in an invitation's link. */
export const tokenOf = (url: string): string => new URL(url).hash.slice(1);

/** The test's environment, in which mail is sent: to the console. Its links lead to {@link SITE_URL}. */
export const mailing: typeof env = { ...env, MAIL: { transport: 'console' }, SITE: { url: SITE_URL } };

/** The mails that are sent while `work` runs with {@link mailing}, and after it until there are `wanted`. */
export async function mailsOf(work: () => Promise<unknown>, wanted = 0): Promise<string[]> {
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

/** The token in the link of the one mail that inviting an address sends it. */
export async function mailedToken(by: SignedIn, organization_id: string, email: string): Promise<string> {
  const [mail = ''] = await mailsOf(() => by.post(USERS, { organization_id, email }, { env: mailing }));
  return tokenOf(/https:\S+/.exec(mail)?.[0] ?? '');
}

/** Someone who has joined an organization. */
export interface Person {
  id: string;
  email: string;
  password: string;
}

/** Somebody new who has joined the Owner's organization. */
export async function newMember(owner: Owner, name = 'New'): Promise<Person> {
  const email = newEmail();
  const password = newPassword();
  const invited = await invite(owner, email);
  const token = tokenOf(invited.body.invitation_url);
  const accepted = await postAuth('/accept-invitation', { token, name, password });
  if (accepted.status !== 200) throw new Error(`accepting answered ${accepted.status}: ${accepted.text}`);
  return { id: invited.body.id, email, password };
}

/** Has somebody who has an account join the Owner's organization. */
export async function join(owner: Owner, person: { email: string }, browser: SignedIn): Promise<void> {
  const token = tokenOf((await invite(owner, person.email)).body.invitation_url);
  const accepted = await browser.post('/auth/accept-invitation', { token });
  if (accepted.status !== 200) throw new Error(`accepting answered ${accepted.status}: ${accepted.text}`);
}

/** The Owner at a browser, and their id. */
export async function atBrowser(owner: Owner): Promise<{ id: string; browser: SignedIn }> {
  const [row] = await identityRows<{ id: string }>('select id from users where email = ?', owner.email);
  return { id: row?.id ?? '', browser: await signIn(owner.email, owner.password) };
}

/** A policy that grants one permission set in the whole organization. */
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

/** What an organization's audit trail in identity says, oldest first: `action resource resource_id`. */
export async function trail(owner: Owner): Promise<string[]> {
  const rows = await identityRows<{ line: string }>(
    `select action || ' ' || resource || ' ' || resource_id as line from audit_events
     where organization_id = ? order by id`,
    owner.organization_id,
  );
  return rows.map(({ line }) => line);
}
