/**
 * Races during sign-in: a request is paused at the statement that writes, and the state that it checked changes. The
 * statement itself must detect the change.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { changePassword } from '../../db/identity/passwords.ts';
import { createSessionByPassword, type NewSession } from '../../db/identity/sessions.ts';
import { createOrganization, type Owner } from '../../functions/iam/bootstrap.ts';
import { env } from './env.ts';
import { gated } from './fault.ts';
import { call, cookieOf, identityRows, newOwner, postAuth, withCookie } from './harness.ts';
import {
  atBrowser,
  emailsDuring,
  envWithEmail,
  invite,
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

/** Runs `change` while concurrent sign-ins have verified the old password and are about to create their sessions. */
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

/** Returns the token of a password reset link for the address. */
async function resetToken(email: string): Promise<string> {
  const ask = () => postAuth('/request-password-reset', { email }, { env: envWithEmail });
  const [mail = ''] = await emailsDuring(ask, 1);
  return tokenOf(/https:\S+/.exec(mail)?.[0] ?? '');
}

describe('16 concurrent sign-ins with the old password create no session after', () => {
  it('a change of the password', async () => {
    const { browser } = await atBrowser(owner);
    const body = { currentPassword: owner.password, newPassword: newPassword() };
    let cookie = '';
    const responses = await whileSigningIn(owner, async () => {
      const changed = await browser.post('/auth/change-password', body);
      expect(changed.status).toBe(200);
      cookie = cookieOf(changed.headers);
    });
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([401]));
    expect(responses.filter(({ headers }) => headers.has('Set-Cookie'))).toEqual([]);
    expect(await tokensOf(owner.email)).toHaveLength(1);
    expect((await withCookie(cookie).get('/iam/v1alpha1/principal')).status).toBe(200);
  });

  it('a reset of the password', async () => {
    const token = await resetToken(owner.email);
    const responses = await whileSigningIn(owner, async () => {
      expect((await postAuth('/reset-password', { token, newPassword: newPassword() })).status).toBe(200);
    });
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([401]));
    expect(await tokensOf(owner.email)).toEqual([]);
  });

  it('a new password set by the operator', async () => {
    const { id } = await atBrowser(owner);
    const wanted = newPassword();
    const responses = await whileSigningIn(owner, async () => {
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
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([401]));
    expect(await tokensOf(owner.email)).toEqual([]);
    expect((await postAuth('/sign-in/email', { email: owner.email, password: wanted })).status).toBe(200);
  });

  it('the deletion of the user', async () => {
    const member = await newMember(owner);
    const responses = await whileSigningIn(member, () =>
      identityRows('delete from users where id = ?', member.id),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([401]));
  });
});

it('in 200 rounds, a session created concurrently with a password change is either revoked by it or never created', async () => {
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
      () => createSessionByPassword(db, old, { userId, hash }),
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

describe('a concurrent change of the password', () => {
  it('fails when the session of the request has been revoked', async () => {
    const { browser } = await atBrowser(owner);
    const gate = gated(env.IDENTITY, SESSIONS);
    const body = { currentPassword: owner.password, newPassword: newPassword() };
    const changing = browser.post('/auth/change-password', body, {
      env: { ...env, IDENTITY: gate.database },
    });
    await gate.arrived;
    expect((await browser.post('/auth/sign-out')).status).toBe(200);
    gate.open();
    const response = await changing;
    expect([response.status, response.body.method]).toEqual([401, 'session']);
    expect(await tokensOf(owner.email)).toEqual([]);
    expect((await postAuth('/sign-in/email', { ...owner })).status).toBe(200);
  });

  it('fails when the session of the request has expired', async () => {
    const { id, browser } = await atBrowser(owner);
    const gate = gated(env.IDENTITY, SESSIONS);
    const body = { currentPassword: owner.password, newPassword: newPassword() };
    const changing = browser.post('/auth/change-password', body, {
      env: { ...env, IDENTITY: gate.database },
    });
    await gate.arrived;
    await expireSessionsOf(id);
    gate.open();
    const response = await changing;
    expect([response.status, response.body.method]).toEqual([401, 'session']);
    expect(await tokensOf(owner.email)).toHaveLength(1);
    expect((await postAuth('/sign-in/email', { ...owner })).status).toBe(200);
  });

  it('fails when the password has changed', async () => {
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
    const response = await changing;
    expect([response.status, response.body.details?.[0].argument_name]).toEqual([400, 'currentPassword']);
    expect(await tokensOf(owner.email)).toHaveLength(1);
  });
});

it('a password reset fails when its link expires between the lookup and the change', async () => {
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
  const response = await resetting;
  expect([response.status, response.body.precondition]).toEqual([412, 'unknown_precondition']);
  expect(await tokensOf(owner.email)).toHaveLength(1);
  expect((await postAuth('/sign-in/email', { ...owner })).status).toBe(200);
});

describe('accepting an invitation fails', () => {
  /** Accepts the invitation, and runs `change` before the final batch. */
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

  it('when it expires between the lookup and the change', async () => {
    const { id, token } = await invited();
    const response = await accepting(
      (options) => postAuth('/accept-invitation', { token, name: 'Late', password: newPassword() }, options),
      () => identityRows('update invitations set expires_at = ? where user_id = ?', Date.now() - 60_000, id),
    );
    expect([response.status, await joined(id)]).toEqual([404, 0]);
    expect(await identityRows('select 1 from sign_in_methods where user_id = ?', id)).toEqual([]);
  });

  it('when the person is removed concurrently', async () => {
    const { id, token } = await invited();
    const response = await accepting(
      (options) => postAuth('/accept-invitation', { token, name: 'Gone', password: newPassword() }, options),
      () => call('DELETE', `${USERS}/${id}`, { token: owner.secret_key }),
    );
    expect([response.status, await joined(id)]).toEqual([404, 0]);
    expect(await identityRows('select 1 from sign_in_methods where user_id = ?', id)).toEqual([]);
  });

  it('when the session expires concurrently', async () => {
    const other = await newOwner();
    const { id, browser } = await atBrowser(other);
    const token = tokenOf((await invite(owner, other.email)).body.invitation_url);
    const response = await accepting(
      (options) => browser.post('/auth/accept-invitation', { token }, options),
      () => expireSessionsOf(id),
    );
    expect([response.status, await joined(id)]).toEqual([404, 1]);
  });

  it('when the session is revoked concurrently', async () => {
    const other = await newOwner();
    const { id, browser } = await atBrowser(other);
    const token = tokenOf((await invite(owner, other.email)).body.invitation_url);
    const response = await accepting(
      (options) => browser.post('/auth/accept-invitation', { token }, options),
      () => browser.post('/auth/sign-out'),
    );
    expect([response.status, await joined(id)]).toEqual([404, 1]);
  });
});
