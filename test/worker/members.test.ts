/** Members of organizations: listing, promoting to Owner, removing, and the rule that one Owner always remains. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { hashSecretKey, newApiKey } from '../../functions/iam/principals/api-keys.ts';
import { env } from './env.ts';
import { call, identityRows, newOwner, postAuth, signIn, withCookie } from './harness.ts';
import { newPerson } from './identity.ts';
import { atBrowser, auditTrail, grant, invite, join, newEmail, newMember, tokenOf, USERS } from './people.ts';

let owner: Owner;

beforeEach(async () => {
  owner = await newOwner();
});

const requestAsOwner = (method: string, path: string, body?: unknown) =>
  call(method, USERS + path, { token: owner.secret_key, ...(body !== undefined && { body }) });

const list = async () => (await requestAsOwner('GET', '')).body.users as { email: string; type: string }[];

/** Inserts an API key of a user in the Owner's organization, bypassing the API. */
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
  it('supports filters, sorting and pagination', async () => {
    const members = [await newMember(owner), await newMember(owner)];
    const emails = async (query: string) =>
      ((await requestAsOwner('GET', query)).body.users as { email: string }[]).map(({ email }) => email);
    expect((await requestAsOwner('GET', '')).body.total_count).toBe(3);
    expect(await emails('?type=owner')).toEqual([owner.email]);
    expect(await emails('?type=unknown_type')).toHaveLength(3);
    expect((await requestAsOwner('GET', '?order_by=last_login_asc')).body.details[0].argument_name).toBe(
      'order_by',
    );
    expect(await emails(`?user_ids=${members[0]?.id}`)).toEqual([members[0]?.email]);
    const both = members.map(({ id }) => `user_ids=${id}`).join('&');
    expect((await emails(`?${both}`)).length).toBe(2);
    const sorted = [owner.email, ...members.map(({ email }) => email)].sort();
    expect(await emails('?order_by=email_asc')).toEqual(sorted);
    expect(await emails('?order_by=username_desc&page_size=1&page=2')).toEqual([sorted[1]]);
    const other = await newOwner();
    expect((await requestAsOwner('GET', `?organization_id=${other.organization_id}`)).status).toBe(403);
  });
});

describe('a member of several organizations', () => {
  it('must specify the organization when the caller also belongs to several', async () => {
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
    // A caller who belongs to one of them can leave it out.
    expect((await requestAsOwner('GET', `/${id}`)).body.type).toBe('owner');
    const remaining = await browser.delete(`${USERS}/${id}?organization_id=${other.organization_id}`);
    expect(remaining.status).toBe(204);
    expect((await browser.get(`${USERS}/${id}`)).body.organization_id).toBe(owner.organization_id);
  });
});

describe('Owners', () => {
  it('are the only ones who can create, demote and remove Owners', async () => {
    const [manager, victim] = [await newMember(owner), await newMember(owner)];
    await grant(owner, manager.id, 'IAMManager');
    const browser = await signIn(manager.email, manager.password);
    const promote = await browser.patch(`${USERS}/${manager.id}`, { type: 'owner' });
    expect([promote.status, promote.body.details]).toEqual([403, [{ resource: 'owner', action: 'write' }]]);
    expect((await requestAsOwner('PATCH', `/${victim.id}`, { type: 'owner' })).body.type).toBe('owner');
    expect((await browser.patch(`${USERS}/${victim.id}`, { type: 'member' })).status).toBe(403);
    expect((await browser.delete(`${USERS}/${victim.id}`)).status).toBe(403);
    const own = await signIn(victim.email, victim.password);
    expect((await own.patch(`${USERS}/${manager.id}`, { type: 'owner' })).status).toBe(200);
    expect((await own.delete(`${USERS}/${manager.id}`)).status).toBe(204);
    expect(await auditTrail(owner)).toEqual(
      expect.arrayContaining([`update users ${victim.id}`, `delete users ${manager.id}`]),
    );
  });

  it('can only be members who have joined', async () => {
    const { id } = (await invite(owner, newEmail())).body;
    const response = await requestAsOwner('PATCH', `/${id}`, { type: 'owner' });
    expect([response.status, response.body.precondition]).toEqual([412, 'unknown_precondition']);
  });

  it('cannot demote, remove or leave as the last Owner', async () => {
    const { id, browser } = await atBrowser(owner);
    expect((await requestAsOwner('GET', `/${id}`)).body.deletable).toBe(false);
    for (const response of [
      await requestAsOwner('PATCH', `/${id}`, { type: 'member' }),
      await requestAsOwner('DELETE', `/${id}`),
      await browser.delete(`${USERS}/${id}`),
    ]) {
      expect([response.status, response.body.precondition]).toEqual([412, 'resource_still_in_use']);
    }
  });

  it('cannot leave the organization to an invited member', async () => {
    await newPerson(owner, { role: 'owner', joined: false });
    const { id } = await atBrowser(owner);
    for (const response of [
      await requestAsOwner('PATCH', `/${id}`, { type: 'member' }),
      await requestAsOwner('DELETE', `/${id}`),
    ]) {
      expect([response.status, response.body.precondition]).toEqual([412, 'resource_still_in_use']);
    }
  });

  it('cannot change any other field', async () => {
    const member = await newMember(owner);
    const response = await requestAsOwner('PATCH', `/${member.id}`, { type: 'member', tags: ['a'] });
    expect([response.status, response.body.details[0].reason]).toEqual([400, 'unknown']);
  });

  it('who demote each other concurrently 200 times always leave one Owner (race)', async () => {
    const first = await atBrowser(owner);
    const member = await newMember(owner);
    const second = { id: member.id, browser: await signIn(member.email, member.password) };
    for (let round = 0; round < 2; round++) {
      // The remaining Owner promotes the other one again.
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

describe('a removed member', () => {
  it('loses access on the next request, along with their API keys and policies', async () => {
    const member = await newMember(owner);
    const policy = await grant(owner, member.id, 'MessagingAndQueuingFullAccess');
    const key = await keyOf(member.id);
    const browser = await signIn(member.email, member.password);
    const accounts = '/mnq/v1beta1/regions/fr-par/nats-accounts';
    expect((await browser.get(accounts)).status).toBe(200);
    expect((await call('GET', accounts, { token: key })).status).toBe(200);

    expect((await requestAsOwner('DELETE', `/${member.id}`)).status).toBe(204);
    expect((await browser.get(accounts)).status).toBe(403);
    expect((await call('GET', accounts, { token: key })).status).toBe(401);
    expect(
      await identityRows('select user_id from policies where organization_id = ?', owner.organization_id),
    ).toEqual([{ user_id: null }]);
    const lines = await auditTrail(owner);
    expect(lines.filter((line) => line.startsWith('delete api_keys'))).toHaveLength(1);
    expect(lines).toEqual(expect.arrayContaining([`update policies ${policy}`, `delete users ${member.id}`]));
    expect((await requestAsOwner('DELETE', `/${member.id}`)).status).toBe(404);
    // The user record remains, because the person can belong to other organizations.
    expect((await signIn(member.email, member.password)).cookie).toBeTruthy();
  });

  it('is deleted if they never joined an organization, and their link stops working', async () => {
    const invited = await invite(owner, newEmail());
    expect((await requestAsOwner('DELETE', `/${invited.body.id}`)).status).toBe(204);
    expect(await identityRows('select * from users where id = ?', invited.body.id)).toEqual([]);
    const token = tokenOf(invited.body.invitation_url);
    expect((await postAuth('/invitation', { token })).status).toBe(404);
  });

  it('keeps their access to other organizations', async () => {
    const other = await newOwner();
    const member = await newMember(owner);
    await join(other, member, await signIn(member.email, member.password));
    const policy = await grant(other, member.id, 'NATSReadOnly');
    expect((await requestAsOwner('DELETE', `/${member.id}`)).status).toBe(204);
    expect(await identityRows('select user_id from policies where id = ?', policy)).toEqual([
      { user_id: member.id },
    ]);
    expect((await call('GET', `${USERS}/${member.id}`, { token: other.secret_key })).status).toBe(200);
  });

  it('can be the caller, without any permission', async () => {
    const member = await newMember(owner);
    const browser = await signIn(member.email, member.password);
    expect((await browser.get(`${USERS}/${member.id}`)).body.email).toBe(member.email);
    const { id: another } = await atBrowser(owner);
    expect((await browser.delete(`${USERS}/${another}`)).status).toBe(403);
    expect((await browser.delete(`${USERS}/${member.id}`)).status).toBe(204);
    expect((await withCookie(browser.cookie).get(`${USERS}/${member.id}`)).status).toBe(403);
  });

  it('is unchanged when the audit row cannot be written (rollback)', async () => {
    const member = await newMember(owner);
    await keyOf(member.id);
    const keys = () => identityRows('select access_key from api_keys where user_id = ?', member.id);
    await env.IDENTITY.prepare('alter table audit_events rename to gone').run();
    const errors = console.error;
    console.error = () => undefined;
    try {
      expect((await requestAsOwner('DELETE', `/${member.id}`)).status).toBe(503);
      expect((await invite(owner, newEmail())).status).toBe(503);
    } finally {
      console.error = errors;
      await env.IDENTITY.prepare('alter table gone rename to audit_events').run();
    }
    expect(await keys()).toHaveLength(1);
    expect(await list()).toHaveLength(2);
  });
});

describe('a member promoted to Owner', () => {
  it('loses the API keys that another person created, with one audit row for each; other members keep theirs', async () => {
    const [promoted, other] = [await newMember(owner), await newMember(owner)];
    const [known, kept] = [await keyOf(promoted.id), await keyOf(other.id)];
    const status = async (token: string) => (await call('GET', '/iam/v1alpha1/principal', { token })).status;
    expect([await status(known), await status(kept)]).toEqual([200, 200]);
    expect((await requestAsOwner('PATCH', `/${promoted.id}`, { type: 'owner' })).status).toBe(200);
    expect([await status(known), await status(kept)]).toEqual([401, 200]);
    const lines = await auditTrail(owner);
    expect(lines.filter((line) => line.startsWith('delete api_keys'))).toHaveLength(1);
  });
});
