/**
 * Sign-in while something changes under it: requests are held at the statement that writes, the change happens, and what
 * they had checked is no longer so. Each statement has to see that by itself.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { changePassword } from '../../db/identity/passwords.ts';
import { beginByPassword, type NewSession } from '../../db/identity/sessions.ts';
import { createOrganization, type Owner } from '../../functions/iam/bootstrap.ts';
import { env } from './env.ts';
import { gated } from './fault.ts';
import { call, cookieOf, identityRows, newOwner, postAuth, withCookie } from './harness.ts';
import {
  atBrowser,
  invite,
  mailing,
  mailsOf,
  newEmail,
  newMember,
  newPassword,
  tokenOf,
  USERS,
} from './people.ts';

const SESSIONS = /insert into sessions/;
const IN_FLIGHT = 16;

let owner: Owner;

beforeEach(async () => {
  owner = await newOwner();
});

/** Runs `change` while so many sign-ins with the old password have verified it and are about to begin their session. */
async function whileSigningIn(person: { email: string; password: string }, change: () => Promise<unknown>) {
  const gate = gated(env.IDENTITY, SESSIONS, IN_FLIGHT);
  const { email, password } = person;
  const signIns = Array.from({ length: IN_FLIGHT }, () =>
    postAuth('/sign-in/email', { email, password }, { env: { ...env, IDENTITY: gate.database } }),
  );
  await gate.arrived;
  await change();
  gate.open();
  return Promise.all(signIns);
}

const tokensOf = (email: string) =>
  identityRows('select token from sessions where user_id = (select id from users where email = ?)', email);

const expireSessionsOf = (userId: string) =>
  identityRows('update sessions set expires_at = ? where user_id = ?', Date.now() - 1000, userId);

/** The token of a link that resets the password of the address. */
async function resetToken(email: string): Promise<string> {
  const ask = () => postAuth('/request-password-reset', { email }, { env: mailing });
  const [mail = ''] = await mailsOf(ask, 1);
  return tokenOf(/https:\S+/.exec(mail)?.[0] ?? '');
}

describe('of 16 sign-ins with the old password that are in flight, none survives', () => {
  it('a change of the password', async () => {
    const { browser } = await atBrowser(owner);
    const body = { currentPassword: owner.password, newPassword: newPassword() };
    let cookie = '';
    const answers = await whileSigningIn(owner, async () => {
      const changed = await browser.post('/auth/change-password', body);
      expect(changed.status).toBe(200);
      cookie = cookieOf(changed.headers);
    });
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(answers.filter(({ headers }) => headers.has('Set-Cookie'))).toEqual([]);
    expect(await tokensOf(owner.email)).toHaveLength(1);
    expect((await withCookie(cookie).get('/iam/v1alpha1/principal')).status).toBe(200);
  });

  it('a reset of the password', async () => {
    const token = await resetToken(owner.email);
    const answers = await whileSigningIn(owner, async () => {
      expect((await postAuth('/reset-password', { token, newPassword: newPassword() })).status).toBe(200);
    });
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(await tokensOf(owner.email)).toEqual([]);
  });

  it('a new password that the operator gives', async () => {
    const { id } = await atBrowser(owner);
    const wanted = newPassword();
    const answers = await whileSigningIn(owner, async () => {
      const { statements } = await createOrganization({
        organizationName: 'Another',
        email: owner.email,
        password: wanted,
        now: Date.now(),
        user: { id, signsIn: true, verified: true },
        newPassword: true,
      });
      await env.IDENTITY.batch(
        statements.map(({ sql, params }) => env.IDENTITY.prepare(sql).bind(...params)),
      );
    });
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(await tokensOf(owner.email)).toEqual([]);
    expect((await postAuth('/sign-in/email', { email: owner.email, password: wanted })).status).toBe(200);
  });

  it('the end of the account', async () => {
    const member = await newMember(owner);
    const answers = await whileSigningIn(member, () =>
      identityRows('delete from users where id = ?', member.id),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  });
});

it('in 200 rounds, a session begins before the password changes and ends with it, or not at all', async () => {
  const { id: userId } = await atBrowser(owner);
  const db = openDatabase(env.IDENTITY);
  const change = {
    actorType: 'user',
    actorId: userId,
    actorKey: null,
    address: null,
    requestId: 'r',
  } as const;
  const newSession = (): NewSession => {
    const now = Date.now();
    return {
      id: crypto.randomUUID(),
      token: crypto.randomUUID(),
      now,
      expiresAt: now + 60_000,
      address: null,
      userAgent: null,
    };
  };
  const [method] = await identityRows<{ password: string }>(
    'select password from sign_in_methods where user_id = ?',
    userId,
  );
  let hash = method?.password ?? '';
  let [by] = (await identityRows<{ id: string }>('select id from sessions where user_id = ?', userId)).map(
    (row) => row.id,
  );
  for (let round = 0; round < 200; round++) {
    const [old, next] = [newSession(), newSession()];
    const to = `hash ${round}`;
    const both = [
      () => beginByPassword(db, old, { userId, hash }),
      () =>
        changePassword(db, { ...change, now: Date.now() }, { userId, from: hash, to, by: by ?? '' }, next),
    ];
    if (round % 2) both.reverse();
    await Promise.all(both.map((one) => one()));
    expect(await identityRows('select id from sessions where user_id = ?', userId)).toEqual([
      { id: next.id },
    ]);
    [hash, by] = [to, next.id];
  }
});

describe('a change of the password', () => {
  it('does not happen when the session that asks has ended by then', async () => {
    const { browser } = await atBrowser(owner);
    const gate = gated(env.IDENTITY, SESSIONS);
    const body = { currentPassword: owner.password, newPassword: newPassword() };
    const changing = browser.post('/auth/change-password', body, {
      env: { ...env, IDENTITY: gate.database },
    });
    await gate.arrived;
    expect((await browser.post('/auth/sign-out')).status).toBe(200);
    gate.open();
    const answer = await changing;
    expect([answer.status, answer.body.method]).toEqual([401, 'session']);
    expect(await tokensOf(owner.email)).toEqual([]);
    expect((await postAuth('/sign-in/email', { ...owner })).status).toBe(200);
  });

  it('does not happen when the session that asks has expired by then', async () => {
    const { id, browser } = await atBrowser(owner);
    const gate = gated(env.IDENTITY, SESSIONS);
    const body = { currentPassword: owner.password, newPassword: newPassword() };
    const changing = browser.post('/auth/change-password', body, {
      env: { ...env, IDENTITY: gate.database },
    });
    await gate.arrived;
    await expireSessionsOf(id);
    gate.open();
    const answer = await changing;
    expect([answer.status, answer.body.method]).toEqual([401, 'session']);
    expect(await tokensOf(owner.email)).toHaveLength(1);
    expect((await postAuth('/sign-in/email', { ...owner })).status).toBe(200);
  });

  it('does not happen on a password that is another by then', async () => {
    const { browser } = await atBrowser(owner);
    const gate = gated(env.IDENTITY, SESSIONS);
    const body = { currentPassword: owner.password, newPassword: newPassword() };
    const changing = browser.post('/auth/change-password', body, {
      env: { ...env, IDENTITY: gate.database },
    });
    await gate.arrived;
    await identityRows(
      "update sign_in_methods set password = 'another' where user_id = (select id from users where email = ?)",
      owner.email,
    );
    gate.open();
    const answer = await changing;
    expect([answer.status, answer.body.details?.[0].argument_name]).toEqual([400, 'currentPassword']);
    expect(await tokensOf(owner.email)).toHaveLength(1);
  });
});

it('a reset of the password does not happen when its link expires between the look-up and the change', async () => {
  const { id } = await atBrowser(owner);
  const token = await resetToken(owner.email);
  const gate = gated(env.IDENTITY, /update sign_in_methods set password/);
  const resetting = postAuth(
    '/reset-password',
    { token, newPassword: newPassword() },
    { env: { ...env, IDENTITY: gate.database } },
  );
  await gate.arrived;
  await identityRows('update verifications set expires_at = ? where value = ?', Date.now() - 1000, id);
  gate.open();
  const answer = await resetting;
  expect([answer.status, answer.body.precondition]).toEqual([412, 'unknown_precondition']);
  expect(await tokensOf(owner.email)).toHaveLength(1);
  expect((await postAuth('/sign-in/email', { ...owner })).status).toBe(200);
});

describe('an invitation is not accepted', () => {
  /** Accepts, and runs `change` when only the batch is still to come. */
  async function accepting(
    send: (options: { env: typeof env }) => ReturnType<typeof call>,
    change: () => Promise<unknown>,
  ) {
    const gate = gated(env.IDENTITY, /update memberships set joined_at/);
    const accepted = send({ env: { ...env, IDENTITY: gate.database } });
    await gate.arrived;
    await change();
    gate.open();
    return accepted;
  }

  async function invited() {
    const email = newEmail();
    const { body } = await invite(owner, email);
    return { email, id: body.id as string, token: tokenOf(body.invitation_url) };
  }

  const joined = async (id: string) =>
    (await identityRows('select 1 from memberships where user_id = ? and joined_at is not null', id)).length;

  it('when it expires between the look-up and the change', async () => {
    const { id, token } = await invited();
    const answer = await accepting(
      (options) => postAuth('/accept-invitation', { token, name: 'Late', password: newPassword() }, options),
      () => identityRows('update invitations set expires_at = ? where user_id = ?', Date.now() - 60_000, id),
    );
    expect([answer.status, await joined(id)]).toEqual([404, 0]);
    expect(await identityRows('select 1 from sign_in_methods where user_id = ?', id)).toEqual([]);
  });

  it('when the person is removed in between', async () => {
    const { id, token } = await invited();
    const answer = await accepting(
      (options) => postAuth('/accept-invitation', { token, name: 'Gone', password: newPassword() }, options),
      () => call('DELETE', `${USERS}/${id}`, { token: owner.secret_key }),
    );
    expect([answer.status, await joined(id)]).toEqual([404, 0]);
    expect(await identityRows('select 1 from sign_in_methods where user_id = ?', id)).toEqual([]);
  });

  it('by a session that expires in between', async () => {
    const other = await newOwner();
    const { id, browser } = await atBrowser(other);
    const token = tokenOf((await invite(owner, other.email)).body.invitation_url);
    const answer = await accepting(
      (options) => browser.post('/auth/accept-invitation', { token }, options),
      () => expireSessionsOf(id),
    );
    expect([answer.status, await joined(id)]).toEqual([404, 1]);
  });

  it('by a session that ends in between', async () => {
    const other = await newOwner();
    const { id, browser } = await atBrowser(other);
    const token = tokenOf((await invite(owner, other.email)).body.invitation_url);
    const answer = await accepting(
      (options) => browser.post('/auth/accept-invitation', { token }, options),
      () => browser.post('/auth/sign-out'),
    );
    expect([answer.status, await joined(id)]).toEqual([404, 1]);
  });
});
