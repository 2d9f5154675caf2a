/**
 * Members through the official IAM client, the command that creates another organization, and the emails that the
 * local stack prints.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Iamv1alpha1 } from '@scaleway/sdk';
import { createClient } from '@scaleway/sdk-client';
import { expect, it } from 'vitest';
import { root } from '../stack/project.ts';
import { useStack } from './local-stack.ts';

const local = useStack();

async function command(name: string, email: string): Promise<Record<string, string>> {
  const script = join(root, 'test/stack/organization.ts');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [script, '--name', name, '--owner-email', email],
    { env: { ...process.env, LATCHKEY_STATE: local.state } },
  );
  return Object.fromEntries(
    [...stdout.matchAll(/^(\w+(?: \w+)*) {2,}(.*)$/gm)].map(([, key, value]) => [key, value]),
  );
}

async function signIn(email: string, password: string): Promise<string> {
  const { origin } = local.stack;
  const response = await fetch(`${origin}/auth/sign-in/email`, {
    method: 'POST',
    headers: { Origin: origin, 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  expect(response.status).toBe(200);
  return response.headers.get('Set-Cookie')?.split(';')[0] ?? '';
}

async function get<T>(path: string, headers: Record<string, string>): Promise<T> {
  const response = await fetch(local.stack.origin + path, { headers });
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

interface Users {
  users: { email: string; organization_id: string; type: string }[];
}

it('the official client invites, lists, reads and removes members', async () => {
  const { owner, stack } = local;
  const client = createClient({
    accessKey: owner.access_key,
    secretKey: owner.secret_key,
    apiURL: stack.origin,
    defaultProjectId: owner.project_id,
    defaultOrganizationId: owner.organization_id,
  });
  const iam = new Iamv1alpha1.API(client);
  const invited = await iam.createUser({ email: 'grace@example.com' });
  expect(invited).toMatchObject({ status: 'invitation_pending', organizationId: owner.organization_id });
  const { users, totalCount } = await iam.listUsers({ orderBy: 'email_asc', userIds: [invited.id] });
  expect([totalCount, users]).toEqual([1, [invited]]);
  expect((await iam.listUsers({ type: 'owner' }).all()).map(({ email }) => email)).toEqual([owner.email]);
  expect(await iam.getUser({ userId: invited.id })).toEqual(invited);
  await iam.deleteUser({ userId: invited.id });
  await expect(iam.getUser({ userId: invited.id })).rejects.toThrow('resource user with ID');
});

it('the local stack prints emails', async () => {
  const { owner, stack } = local;
  const response = await fetch(`${stack.origin}/iam/v1alpha1/users`, {
    method: 'POST',
    headers: { 'X-Auth-Token': owner.secret_key, 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: 'barbara@example.com' }),
  });
  const { invitation_url: url } = (await response.json()) as { invitation_url: string };
  const mail = 'Email to barbara@example.com: Your invitation to Latchkey\n\n';
  await expect.poll(() => local.logged.join('')).toContain(mail);
  expect(url.startsWith(`${stack.origin}/invitation/#`)).toBe(true);
});

it('npm run organization creates an organization while the stack runs, with an Owner who can sign in', async () => {
  const made = await command('Data team', 'Edsger@Example.com');
  expect(made['Sign in as']).toBe('edsger@example.com');
  const Cookie = await signIn('edsger@example.com', made.Password ?? '');
  const { users } = await get<Users>('/iam/v1alpha1/users', { Cookie });
  expect(users).toMatchObject([{ organization_id: made.Organization, type: 'owner' }]);
  const projects = await get<{ total_count: number }>('/account/v3/projects', {
    'X-Auth-Token': made['Secret key'] ?? '',
  });
  expect(projects.total_count).toBe(1);
});

it('npm run organization makes an existing user the Owner of another organization, with the same password', async () => {
  const { owner } = local;
  const made = await command('Second', owner.email);
  expect(made.Password).toBe('unchanged: this person already has one');
  const Cookie = await signIn(owner.email, owner.password);
  const { users } = await get<Users>('/iam/v1alpha1/users?type=owner', { Cookie });
  const organizations = users
    .filter(({ email }) => email === owner.email)
    .map((user) => user.organization_id);
  expect(organizations.sort()).toEqual([owner.organization_id, made.Organization].sort());
});

it('npm run organization prints its usage without arguments', async () => {
  await expect(command('', 'ada@example.com')).rejects.toThrow('Usage: npm run organization');
  await expect(command('Third', 'ada')).rejects.toThrow('Usage: npm run organization');
});
