/** Invitations: the link makes the invited person a member, once, and nobody else. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { env } from './env.ts';
import { call, identityRows, newOwner, postAuth, signIn } from './harness.ts';
import { grant as grantTo, newApplication, newKey } from './matrix-callers.ts';
import {
  atBrowser,
  auditTrail,
  emailsDuring,
  envWithEmail,
  grant,
  invite,
  inviteByEmail,
  newEmail,
  newMember,
  newPassword,
  tokenOf,
  USERS,
} from './people.ts';

let owner: Owner;

beforeEach(async () => {
  owner = await newOwner();
});

const requestAsOwner = (method: string, path: string, body?: unknown) =>
  call(method, USERS + path, { token: owner.secret_key, ...(body !== undefined && { body }) });

const list = async () => (await requestAsOwner('GET', '')).body.users as { email: string; type: string }[];

/** The secret key of an application with permission to invite. */
async function keyOfApplication(): Promise<string> {
  const application_id = await newApplication(owner.organization_id);
  await grantTo(owner, { application_id }, 'IAMManager', null);
  return newKey(owner, { application_id });
}

describe('an invitation', () => {
  it('creates a pending member, and its link appears only in the response', async () => {
    const email = newEmail();
    const response = await invite(owner, email.toUpperCase());
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({
      email,
      status: 'invitation_pending',
      type: 'member',
      deletable: true,
    });
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const token = tokenOf(response.body.invitation_url);
    expect(atob(token.replaceAll('-', '+').replaceAll('_', '/')).length).toBe(32);
    const stored = JSON.stringify([
      await identityRows('select * from invitations'),
      await identityRows('select * from audit_events'),
    ]);
    expect(stored).not.toContain(token);
    expect((await requestAsOwner('GET', `/${response.body.id}`)).text).not.toContain(token);
    expect(await list()).toHaveLength(2);
    expect(await auditTrail(owner)).toContain(`create invitations ${response.body.id}`);
  });

  it('is shown to the holder of the link, and accepted once', async () => {
    const email = newEmail();
    const token = tokenOf((await invite(owner, email)).body.invitation_url);
    const shown = await postAuth('/invitation', { token });
    expect(shown.body).toMatchObject({ organization_name: 'Test', email });
    const password = newPassword();
    for (const lacking of [{ password }, { name: 'New' }, { name: 'New', password: 'too short' }]) {
      expect((await postAuth('/accept-invitation', { token, ...lacking })).status).toBe(400);
    }
    const accepted = await postAuth('/accept-invitation', { token, name: 'New', password });
    expect(accepted.status).toBe(200);
    const again = await postAuth('/accept-invitation', { token, name: 'Other', password: newPassword() });
    expect([again.status, again.body.resource, again.text.includes(token)]).toEqual([
      404,
      'invitation',
      false,
    ]);
    expect((await postAuth('/invitation', { token })).status).toBe(404);
    const member = await requestAsOwner('GET', `/${accepted.body.user_id}`);
    expect(member.body).toMatchObject({
      status: 'activated',
      first_name: 'New',
      invitation_expires_at: null,
    });
    expect(await auditTrail(owner)).toContain(`create users ${accepted.body.user_id}`);
    expect((await (await signIn(email, password)).get(USERS)).status).toBe(403);
  });

  it('does not reveal whether its email has an account, before it is accepted', async () => {
    const known = (await newOwner()).email;
    const { browser } = await atBrowser(owner);
    const seen = async (email: string) => {
      const token = tokenOf((await invite(owner, email)).body.invitation_url);
      const preview = await postAuth('/invitation', { token });
      const responses = [
        { ...preview, body: { ...preview.body, email: '', expires_at: '' } },
        await postAuth('/accept-invitation', { token }),
        await browser.post('/auth/accept-invitation', { token }),
        await postAuth('/accept-invitation', { token, name: 'New' }),
        await postAuth('/accept-invitation', { token, password: newPassword() }),
        await postAuth('/accept-invitation', { token, name: 'New', password: 'too short' }),
      ];
      return responses.map(({ status, body }) => [status, body]);
    };
    const unknown = await seen(newEmail());
    expect(unknown.map(([status]) => status)).toEqual([200, 401, 403, 400, 400, 400]);
    expect(await seen(known)).toEqual(unknown);
  });

  it('identifies its person by an ID that does not reveal whether an account exists', async () => {
    for (const email of [newEmail(), (await newOwner()).email]) {
      const { id } = (await invite(owner, email)).body;
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[48][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect((await requestAsOwner('DELETE', `/${id}`)).status).toBe(204);
      expect((await invite(owner, email)).body.id).toBe(id);
    }
  });

  it('gives an existing user no access before it is accepted, even with a policy', async () => {
    const other = await newOwner();
    const { id, browser } = await atBrowser(other);
    await invite(owner, other.email);
    await grant(owner, id, 'IAMManager');
    const { organizations } = (await browser.get('/iam/v1alpha1/principal')).body;
    expect((organizations as { id: string }[]).map((one) => one.id)).toEqual([other.organization_id]);
    expect((await browser.get(`${USERS}?organization_id=${owner.organization_id}`)).status).toBe(403);
    const body = { organization_id: owner.organization_id, name: 'mine' };
    expect((await browser.post('/account/v3/projects', body)).status).toBe(403);
  });

  it('is accepted once by concurrent requests (race)', async () => {
    const token = tokenOf((await invite(owner, newEmail())).body.invitation_url);
    const tries = Array.from({ length: 5 }, () =>
      postAuth('/accept-invitation', { token, name: 'New', password: newPassword() }),
    );
    const statuses = (await Promise.all(tries)).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 404, 404, 404, 404]);
  });

  it('of two organizations accepts a new password once; the second is accepted by that user only', async () => {
    const email = newEmail();
    const other = await newOwner();
    const first = tokenOf((await invite(owner, email)).body.invitation_url);
    const second = tokenOf((await invite(other, email)).body.invitation_url);
    const password = newPassword();
    expect((await postAuth('/accept-invitation', { token: first, name: 'New', password })).status).toBe(200);
    const intruding = { token: second, name: 'Intruder', password: newPassword() };
    const stranger = await postAuth('/accept-invitation', intruding);
    expect([stranger.status, stranger.body.method]).toEqual([401, 'session']);
    const { browser: someoneElse } = await atBrowser(owner);
    expect((await someoneElse.post('/auth/accept-invitation', intruding)).status).toBe(403);
    const browser = await signIn(email, password);
    expect((await browser.post('/auth/accept-invitation', { token: second })).status).toBe(200);
    expect((await browser.get('/auth/get-session')).body.user).toMatchObject({ name: 'New' });
  });

  it('replaces the previous invitation, whose link stops working', async () => {
    const email = newEmail();
    const old = tokenOf((await invite(owner, email)).body.invitation_url);
    const again = await invite(owner, email);
    expect(again.status).toBe(200);
    expect((await postAuth('/invitation', { token: old })).status).toBe(404);
    expect((await postAuth('/invitation', { token: tokenOf(again.body.invitation_url) })).status).toBe(200);
    expect(await list()).toHaveLength(2);
  });

  it('expires, and its link returns the reason', async () => {
    const token = tokenOf((await invite(owner, newEmail())).body.invitation_url);
    await env.IDENTITY.prepare('update invitations set expires_at = ?')
      .bind(Date.now() - 1)
      .run();
    for (const path of ['/invitation', '/accept-invitation']) {
      const response = await postAuth(path, { token, name: 'New', password: newPassword() });
      expect([response.status, response.body.precondition]).toEqual([412, 'unknown_precondition']);
    }
  });

  it('can be accepted from our pages only (same origin)', async () => {
    const token = tokenOf((await invite(owner, newEmail())).body.invitation_url);
    const headers = { Origin: 'https://evil.test' };
    const body = { token, name: 'New', password: newPassword() };
    for (const path of ['/invitation', '/accept-invitation']) {
      expect((await postAuth(path, body, { headers })).status).toBe(403);
    }
  });

  it('is rejected for a member who has joined, and for invalid fields', async () => {
    const member = await newMember(owner);
    const response = await invite(owner, member.email);
    expect([response.status, response.body.type, response.body.resource_id]).toEqual([
      409,
      'already_exists',
      member.id,
    ]);
    for (const [argument, body] of [
      ['member.password', { email: undefined, member: { email: newEmail(), password: 'x' } }],
      ['tags', { tags: ['a'] }],
      ['email', { email: 'nobody' }],
    ] as const) {
      const refused = await requestAsOwner('POST', '', { email: newEmail(), ...body });
      expect([refused.status, refused.body.details?.[0].argument_name]).toEqual([400, argument]);
    }
  });

  it('requires iam:write in that organization', async () => {
    const member = await newMember(owner);
    const browser = await signIn(member.email, member.password);
    const body = { organization_id: owner.organization_id, email: newEmail() };
    expect((await browser.post(USERS, body)).status).toBe(403);
    await grant(owner, member.id, 'IAMReadOnly');
    expect((await browser.post(USERS, body)).status).toBe(403);
    await grant(owner, member.id, 'IAMManager');
    expect((await browser.post(USERS, body)).status).toBe(412);
    const elsewhere = { ...body, organization_id: (await newOwner()).organization_id };
    expect((await browser.post(USERS, elsewhere)).status).toBe(403);
  });
});

describe('an invitation’s link', () => {
  /** A principal who can invite and is not an Owner. */
  const newManager = async () => {
    const { id, email, password } = await newMember(owner);
    await grant(owner, id, 'IAMManager');
    return signIn(email, password);
  };
  const verified = async (email: string) =>
    (await identityRows('select email_verified from users where email = ?', email))[0]?.email_verified;

  it('is returned to Owners only: another inviter cannot impersonate the invited person', async () => {
    const manager = await newManager();
    const email = newEmail();
    const old = tokenOf((await invite(owner, email)).body.invitation_url);
    const body = { organization_id: owner.organization_id, email };
    const mails = await emailsDuring(async () => {
      const again = await manager.post(USERS, body, { env: envWithEmail });
      expect([again.status, again.body.invitation_url]).toEqual([200, null]);
      expect(again.text).not.toContain('/invitation/');
    });
    expect(mails).toEqual([expect.stringContaining(`Email to ${email}`)]);
    expect((await postAuth('/invitation', { token: old })).status).toBe(404);
    const application = { token: await keyOfApplication(), body, env: envWithEmail };
    expect(
      await emailsDuring(async () => expect((await call('POST', USERS, application)).status).toBe(200)),
    ).toEqual(mails.map(() => expect.stringContaining(`Email to ${email}`)));
    const { browser } = await atBrowser(owner);
    await emailsDuring(async () => {
      const shown = await browser.post(USERS, body, { env: envWithEmail });
      expect((await postAuth('/invitation', { token: tokenOf(shown.body.invitation_url) })).status).toBe(200);
    });
  });

  it('cannot be delivered without email when the inviter is not an Owner, and nothing is written', async () => {
    const manager = await newManager();
    const before = await auditTrail(owner);
    const response = await manager.post(USERS, { organization_id: owner.organization_id, email: newEmail() });
    expect([response.status, response.body.precondition]).toEqual([412, 'unknown_precondition']);
    expect(response.body.help_message).toContain('Ask an Owner');
    expect([await list(), await auditTrail(owner)]).toEqual([expect.objectContaining({ length: 2 }), before]);
  });

  it('verifies the email of a person who chooses a password with it, if only an email contained the link', async () => {
    const [shown, mailed, both] = [newEmail(), newEmail(), newEmail()];
    const { organization_id } = owner;
    const manager = await newManager();
    const tokens = {
      [shown]: tokenOf((await invite(owner, shown)).body.invitation_url),
      [mailed]: await inviteByEmail(manager, organization_id, mailed),
      [both]: await inviteByEmail(manager, organization_id, both),
    };
    tokens[both] = tokenOf((await invite(owner, both)).body.invitation_url);
    for (const [email, token] of Object.entries(tokens)) {
      expect(await verified(email)).toBe(0);
      const accepted = await postAuth('/accept-invitation', { token, name: 'New', password: newPassword() });
      expect(accepted.status).toBe(200);
    }
    expect([await verified(shown), await verified(mailed), await verified(both)]).toEqual([0, 1, 0]);
  });
});
