/** Members of organizations: listed, made Owner, removed, and always one Owner left. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { hashSecretKey, newApiKey } from '../../functions/iam/principals/api-keys.ts';
import { env } from './env.ts';
import { call, identityRows, newOwner, postAuth, signIn, withCookie } from './harness.ts';
import { newPerson } from './identity.ts';
import { atBrowser, grant, invite, join, newEmail, newMember, tokenOf, trail, USERS } from './people.ts';

let owner: Owner;

beforeEach(async () => {
  owner = await newOwner();
});

const asOwner = (method: string, path: string, body?: unknown) =>
  call(method, USERS + path, { token: owner.secret_key, ...(body !== undefined && { body }) });

const list = async () => (await asOwner('GET', '')).body.users as { email: string; type: string }[];

/** An API key of a user in the Owner's organization, past the API. */
async function keyOf(userId: string): Promise<string> {
  const { accessKey, secretKey } = newApiKey();
  await env.IDENTITY.prepare(
    `insert into api_keys (access_key, secret_hash, organization_id, user_id, description, default_project_id,
       created_at, updated_at) values (?, ?, ?, ?, '', ?, 1, 1)`,
  )
    .bind(accessKey, await hashSecretKey(secretKey), owner.organization_id, userId, owner.project_id)
    .run();
  return secretKey;
}

describe('the list of members', () => {
  it('is filtered, ordered and paged as the contract has it', async () => {
    const members = [await newMember(owner), await newMember(owner)];
    const emails = async (query: string) =>
      ((await asOwner('GET', query)).body.users as { email: string }[]).map(({ email }) => email);
    expect((await asOwner('GET', '')).body.total_count).toBe(3);
    expect(await emails('?type=owner')).toEqual([owner.email]);
    expect(await emails('?type=unknown_type')).toHaveLength(3);
    expect((await asOwner('GET', '?order_by=last_login_asc')).body.details[0].argument_name).toBe('order_by');
    expect(await emails(`?user_ids=${members[0]?.id}`)).toEqual([members[0]?.email]);
    const both = members.map(({ id }) => `user_ids=${id}`).join('&');
    expect((await emails(`?${both}`)).length).toBe(2);
    const sorted = [owner.email, ...members.map(({ email }) => email)].sort();
    expect(await emails('?order_by=email_asc')).toEqual(sorted);
    expect(await emails('?order_by=username_desc&page_size=1&page=2')).toEqual([sorted[1]]);
    const other = await newOwner();
    expect((await asOwner('GET', `?organization_id=${other.organization_id}`)).status).toBe(403);
  });
});

describe('someone in several organizations', () => {
  it('has to be named with the organization by whoever is in several of them too', async () => {
    const other = await newOwner();
    const { id, browser } = await atBrowser(owner);
    await join(other, owner, browser);
    await grant(other, id, 'IAMManager');
    const refused = await browser.get(`${USERS}/${id}`);
    expect([refused.status, refused.body.details[0].argument_name]).toEqual([400, 'organization_id']);
    const there = await browser.get(`${USERS}/${id}?organization_id=${other.organization_id}`);
    expect(there.body).toMatchObject({ organization_id: other.organization_id, type: 'member' });
    expect((await browser.post(USERS, { email: newEmail() })).body.details[0].argument_name).toBe(
      'organization_id',
    );
    // Whoever is in one of them asks without.
    expect((await asOwner('GET', `/${id}`)).body.type).toBe('owner');
    const left = await browser.delete(`${USERS}/${id}?organization_id=${other.organization_id}`);
    expect(left.status).toBe(204);
    expect((await browser.get(`${USERS}/${id}`)).body.organization_id).toBe(owner.organization_id);
  });
});

describe('Owners', () => {
  it('alone make, demote and remove Owners', async () => {
    const [manager, victim] = [await newMember(owner), await newMember(owner)];
    await grant(owner, manager.id, 'IAMManager');
    const browser = await signIn(manager.email, manager.password);
    const promote = await browser.patch(`${USERS}/${manager.id}`, { type: 'owner' });
    expect([promote.status, promote.body.details]).toEqual([403, [{ resource: 'owner', action: 'write' }]]);
    expect((await asOwner('PATCH', `/${victim.id}`, { type: 'owner' })).body.type).toBe('owner');
    expect((await browser.patch(`${USERS}/${victim.id}`, { type: 'member' })).status).toBe(403);
    expect((await browser.delete(`${USERS}/${victim.id}`)).status).toBe(403);
    const own = await signIn(victim.email, victim.password);
    expect((await own.patch(`${USERS}/${manager.id}`, { type: 'owner' })).status).toBe(200);
    expect((await own.delete(`${USERS}/${manager.id}`)).status).toBe(204);
    expect(await trail(owner)).toEqual(
      expect.arrayContaining([`update users ${victim.id}`, `delete users ${manager.id}`]),
    );
  });

  it('are only people who have joined', async () => {
    const { id } = (await invite(owner, newEmail())).body;
    const answer = await asOwner('PATCH', `/${id}`, { type: 'owner' });
    expect([answer.status, answer.body.precondition]).toEqual([412, 'unknown_precondition']);
  });

  it('cannot all go: the last one is neither demoted nor removed, and cannot leave', async () => {
    const { id, browser } = await atBrowser(owner);
    expect((await asOwner('GET', `/${id}`)).body.deletable).toBe(false);
    for (const answer of [
      await asOwner('PATCH', `/${id}`, { type: 'member' }),
      await asOwner('DELETE', `/${id}`),
      await browser.delete(`${USERS}/${id}`),
    ]) {
      expect([answer.status, answer.body.precondition]).toEqual([412, 'resource_still_in_use']);
    }
  });

  it('cannot leave the organization to one who has not joined', async () => {
    await newPerson(owner, { role: 'owner', joined: false });
    const { id } = await atBrowser(owner);
    for (const answer of [
      await asOwner('PATCH', `/${id}`, { type: 'member' }),
      await asOwner('DELETE', `/${id}`),
    ]) {
      expect([answer.status, answer.body.precondition]).toEqual([412, 'resource_still_in_use']);
    }
  });

  it('take nothing else in a change', async () => {
    const member = await newMember(owner);
    const answer = await asOwner('PATCH', `/${member.id}`, { type: 'member', tags: ['a'] });
    expect([answer.status, answer.body.details[0].reason]).toEqual([400, 'unknown']);
  });

  it('who demote each other 200 times at once leave one every time', async () => {
    const first = await atBrowser(owner);
    const member = await newMember(owner);
    const second = { id: member.id, browser: await signIn(member.email, member.password) };
    for (let round = 0; round < 2; round++) {
      // Whoever is left makes the other one an Owner again.
      for (const { browser } of [first, second]) {
        for (const { id } of [first, second]) await browser.patch(`${USERS}/${id}`, { type: 'owner' });
      }
      const demotions = Array.from({ length: 200 }, (_, i) => {
        const [by, whom] = i % 2 ? [first, second] : [second, first];
        return by.browser.patch(`${USERS}/${whom.id}`, { type: 'member' });
      });
      const statuses = new Set((await Promise.all(demotions)).map(({ status }) => status));
      expect([...statuses].every((status) => [200, 403, 412].includes(status))).toBe(true);
      const [{ count } = { count: 0 }] = await identityRows<{ count: number }>(
        `select count(*) as count from memberships where organization_id = ? and role = 'owner'`,
        owner.organization_id,
      );
      expect(count).toBe(1);
    }
  });
});

describe('a member who is removed', () => {
  it('is out with the next request, and so are their keys and what policies granted them', async () => {
    const member = await newMember(owner);
    const policy = await grant(owner, member.id, 'MessagingAndQueuingFullAccess');
    const key = await keyOf(member.id);
    const browser = await signIn(member.email, member.password);
    const accounts = '/mnq/v1beta1/regions/fr-par/nats-accounts';
    expect((await browser.get(accounts)).status).toBe(200);
    expect((await call('GET', accounts, { token: key })).status).toBe(200);

    expect((await asOwner('DELETE', `/${member.id}`)).status).toBe(204);
    expect((await browser.get(accounts)).status).toBe(403);
    expect((await call('GET', accounts, { token: key })).status).toBe(401);
    expect(
      await identityRows('select user_id from policies where organization_id = ?', owner.organization_id),
    ).toEqual([{ user_id: null }]);
    const lines = await trail(owner);
    expect(lines.filter((line) => line.startsWith('delete api_keys'))).toHaveLength(1);
    expect(lines).toEqual(expect.arrayContaining([`update policies ${policy}`, `delete users ${member.id}`]));
    expect((await asOwner('DELETE', `/${member.id}`)).status).toBe(404);
    // Signs in elsewhere, if anywhere: the person is not forgotten.
    expect((await signIn(member.email, member.password)).cookie).toBeTruthy();
  });

  it('is forgotten when they never joined anything, and their link opens nothing', async () => {
    const invited = await invite(owner, newEmail());
    expect((await asOwner('DELETE', `/${invited.body.id}`)).status).toBe(204);
    expect(await identityRows('select * from users where id = ?', invited.body.id)).toEqual([]);
    const token = tokenOf(invited.body.invitation_url);
    expect((await postAuth('/invitation', { token })).status).toBe(404);
  });

  it('keeps what they have elsewhere', async () => {
    const other = await newOwner();
    const member = await newMember(owner);
    await join(other, member, await signIn(member.email, member.password));
    const policy = await grant(other, member.id, 'NATSReadOnly');
    expect((await asOwner('DELETE', `/${member.id}`)).status).toBe(204);
    expect(await identityRows('select user_id from policies where id = ?', policy)).toEqual([
      { user_id: member.id },
    ]);
    expect((await call('GET', `${USERS}/${member.id}`, { token: other.secret_key })).status).toBe(200);
  });

  it('may be oneself, without any permission', async () => {
    const member = await newMember(owner);
    const browser = await signIn(member.email, member.password);
    expect((await browser.get(`${USERS}/${member.id}`)).body.email).toBe(member.email);
    const { id: another } = await atBrowser(owner);
    expect((await browser.delete(`${USERS}/${another}`)).status).toBe(403);
    expect((await browser.delete(`${USERS}/${member.id}`)).status).toBe(204);
    expect((await withCookie(browser.cookie).get(`${USERS}/${member.id}`)).status).toBe(403);
  });

  it('stays whole when the audit row cannot be written', async () => {
    const member = await newMember(owner);
    await keyOf(member.id);
    const keys = () => identityRows('select access_key from api_keys where user_id = ?', member.id);
    await env.IDENTITY.prepare('alter table audit_events rename to gone').run();
    const errors = console.error;
    console.error = () => undefined;
    try {
      expect((await asOwner('DELETE', `/${member.id}`)).status).toBe(503);
      expect((await invite(owner, newEmail())).status).toBe(503);
    } finally {
      console.error = errors;
      await env.IDENTITY.prepare('alter table gone rename to audit_events').run();
    }
    expect(await keys()).toHaveLength(1);
    expect(await list()).toHaveLength(2);
  });
});

describe('who becomes an Owner', () => {
  it('loses the API keys that somebody else may know, with an audit row for each, and no one else does', async () => {
    const [promoted, other] = [await newMember(owner), await newMember(owner)];
    const [known, kept] = [await keyOf(promoted.id), await keyOf(other.id)];
    const status = async (token: string) => (await call('GET', '/iam/v1alpha1/principal', { token })).status;
    expect([await status(known), await status(kept)]).toEqual([200, 200]);
    expect((await asOwner('PATCH', `/${promoted.id}`, { type: 'owner' })).status).toBe(200);
    expect([await status(known), await status(kept)]).toEqual([401, 200]);
    const lines = await trail(owner);
    expect(lines.filter((line) => line.startsWith('delete api_keys'))).toHaveLength(1);
  });
});
