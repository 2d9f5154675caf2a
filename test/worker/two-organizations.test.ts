/** Tenant isolation: two organizations with the same resource names learn nothing about each other. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { app } from '../../functions/index.ts';
import { env } from './env.ts';
import { call, clientOf, newOwner, REGIONS, signIn } from './harness.ts';
import { PUBLIC } from './matrix-table.ts';
import { grant, invite, join, newEmail, newMember, type Person, USERS } from './people.ts';

const THEIR_NAME = 'Ada, as they know her';

interface Organization {
  owner: Owner;
  /** Every ID that belongs to it alone. */
  ids: string[];
}

async function newOrganization(): Promise<Organization> {
  const owner = await newOwner();
  const { project_id, organization_id, access_key } = owner;
  const ids = [project_id, organization_id, access_key];
  const token = owner.secret_key;
  const create = async (path: string, body: object) => (await call('POST', path, { token, body })).body;
  const application = await create('/iam/v1alpha1/applications', { name: 'same' });
  const key = await create('/iam/v1alpha1/api-keys', { application_id: application.id });
  const policy = await create('/iam/v1alpha1/policies', { name: 'same', application_id: application.id });
  const project = await create('/account/v3/projects', { name: 'same', organization_id });
  const member = await create('/iam/v1alpha1/users', { email: `${crypto.randomUUID()}@example.com` });
  ids.push(application.id, key.access_key, policy.id, project.id, member.id);
  for (const region of REGIONS) {
    const api = clientOf(owner, region);
    const account = (await api.post('/nats-accounts', { project_id, name: 'same' })).body.id;
    const role = { nats_account_id: account, name: 'same', publish: { allow: [] }, subscribe: { allow: [] } };
    ids.push(
      account,
      (await api.post('/nats-roles', role)).body.id,
      (await api.post('/nats-credentials', { nats_account_id: account, name: 'same' })).body.id,
    );
    for (const product of ['sqs', 'sns']) {
      await api.post(`/activate-${product}`, { project_id });
      const made = await api.post(`/${product}-credentials`, {
        project_id,
        name: 'same',
        permissions: { can_publish: true },
      });
      ids.push(made.body.id, made.body.access_key);
    }
  }
  return { owner, ids };
}

const LISTS = [
  ...new Set(
    app.routes
      .filter(({ method, path }) => method === 'GET' && !/:(?!region)/.test(path) && !path.endsWith('*'))
      .map(({ path }) => path)
      .filter((path) => !Object.hasOwn(PUBLIC, `GET ${path}`)),
  ),
];

let ours: Organization;
let theirs: Organization;
/** A member of the other organization, with a name there, who is only invited to ours. */
let both: Person;

beforeAll(async () => {
  ours = await newOrganization();
  theirs = await newOrganization();
  both = await newMember(theirs.owner, THEIR_NAME);
  theirs.ids.push(THEIR_NAME);
  await invite(ours.owner, both.email);
});

describe('two organizations', () => {
  it.each(
    LISTS.flatMap((path) => (path.includes(':region') ? REGIONS : ['']).map((region) => [path, region])),
  )('%s %s returns each organization its own data, and the same amount', async (path, region) => {
    const ask = ({ owner }: Organization, names: Record<string, string> = {}) =>
      call('GET', `${path?.replace(':region', region ?? '')}?${new URLSearchParams(names)}`, {
        token: owner.secret_key,
      });
    const own = await ask(ours);
    for (const id of theirs.ids) expect(own.text).not.toContain(id);
    const other = await ask(theirs);
    // Feedback belongs to the first organization only.
    if (path !== '/feedback') {
      expect([other.status, other.body?.total_count]).toEqual([own.status, own.body?.total_count]);
    }
    // A filter by the other organization's ID returns the same as one by an unknown ID.
    const { project_id, organization_id } = theirs.owner;
    const key = theirs.ids.find((id) => id.startsWith('LKEY')) ?? '';
    const named = await ask(ours, { project_id, organization_id, key });
    const missing = await ask(ours, {
      project_id: crypto.randomUUID(),
      organization_id: crypto.randomUUID(),
      key: 'LKEY0123456789abcdef',
    });
    expect([named.status, named.text]).toEqual([missing.status, missing.text]);
  });

  it('learn nothing about a person of the other organization before they join', async () => {
    const stranger = newEmail();
    const token = ours.owner.secret_key;
    // The person has belonged to the other organization for a while, and has since changed their password.
    await env.IDENTITY.prepare('update users set created_at = 1, updated_at = ? where email = ?')
      .bind(Date.now() + 60_000, both.email)
      .run();
    const asInvited = (response: Awaited<ReturnType<typeof call>>, email: string) => {
      const { id, created_at, updated_at } = response.body;
      return response.text
        .replaceAll(email, 'EMAIL')
        .replaceAll(id, 'ID')
        .replaceAll(created_at, 'THEN')
        .replaceAll(updated_at, 'THEN')
        .replace(/"(invitation_expires_at|invitation_url)":"[^"]+"/g, '');
    };
    const [known, unknown] = [await invite(ours.owner, both.email), await invite(ours.owner, stranger)];
    expect(asInvited(known, both.email)).toBe(asInvited(unknown, stranger));
    expect([known.body.first_name, known.body.updated_at]).toEqual(['', known.body.created_at]);
    const newestFirst = await call('GET', `${USERS}?order_by=updated_at_desc`, { token });
    expect(newestFirst.body.users[0].email).toBe(stranger);
  });

  it('can share a member, who sees both and whose API keys see one', async () => {
    await join(ours.owner, both, await signIn(both.email, both.password));
    await grant(ours.owner, both.id, 'IAMManager');
    const browser = await signIn(both.email, both.password);
    expect(
      (await browser.get(`${USERS}/${both.id}?organization_id=${ours.owner.organization_id}`)).body,
    ).toMatchObject({ organization_id: ours.owner.organization_id, first_name: THEIR_NAME });
    const key = await browser.post('/iam/v1alpha1/api-keys', {
      user_id: both.id,
      default_project_id: ours.owner.project_id,
    });
    expect(key.status).toBe(200);
    const names = theirs.ids.filter((id) => id !== THEIR_NAME);
    for (const path of LISTS.filter((path) => path.startsWith('/iam/') || path.startsWith('/account/'))) {
      const query = path.endsWith('/rules') ? '' : `?organization_id=${ours.owner.organization_id}`;
      for (const response of [
        await call('GET', path, { token: key.body.secret_key }),
        ...(path.endsWith('/principal') ? [] : [await browser.get(path + query)]),
      ]) {
        for (const id of names) expect(response.text, path).not.toContain(id);
      }
    }
  });

  it('do not use each other’s quotas', async () => {
    const one = { ...env, QUOTAS: { nats_accounts: 2, credentials: 100 } };
    const account = ({ owner }: Organization) =>
      clientOf(owner, 'fr-par').post('/nats-accounts', { project_id: owner.project_id }, { env: one });
    expect([(await account(theirs)).status, (await account(theirs)).status]).toEqual([200, 403]);
    const last = await account(ours);
    expect(last.status).toBe(200);
    const refused = await account(ours);
    expect(refused.body.details).toEqual([
      { resource: 'nats_accounts', quota: 2, current: 2, organization_id: ours.owner.organization_id },
    ]);
  });
});
