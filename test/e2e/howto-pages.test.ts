/** Runs the code on the how-to pages, except for those of clients, and checks what the pages promise. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { ACTIONS, RESOURCES } from '../../site/src/build/audit-labels.ts';
import { run } from './access-key-form.ts';
import { ALL, activate, newCredentials, newProject } from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';
import { access, newCreds } from './nats-client.ts';
import { codeOf } from './pages.ts';

const local = useStack();
const REGION = 'fr-par';
const NATS = `/mnq/v1beta1/regions/${REGION}/nats-credentials`;

const here = (code: string) => code.replaceAll('https://latchkey.example.com', local.stack.origin);
const urlOf = () => local.stack.nats.get(REGION)?.url ?? '';

async function openConnections(id: string): Promise<number> {
  const listed = await api<{ connections: object[] }>(local, 'GET', `${NATS}/${id}/connections`);
  return listed.connections.length;
}

it('get-started shows a program that receives its own messages until its credentials are revoked', async () => {
  const creds = await newCreds(local, REGION);
  const [program = ''] = codeOf('get-started', 'js');
  // As the stack serves it, with nothing replaced.
  const page = await (await fetch(`${local.stack.origin}/get-started.md`)).text();
  const start = /^ *NATS_URL=.*$/m.exec(page)?.[0] ?? '';
  const files = [
    { name: 'orders-nats-fr-par.creds', content: creds.content },
    { name: 'orders.mjs', content: program },
  ];
  const ended = run(local, start, files);
  await expect.poll(() => openConnections(creds.id)).toBe(1);
  // It publishes once a second.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await api(local, 'DELETE', `${NATS}/${creds.id}`);
  expect(await ended).toMatch(/^(one coffee\n)+cut off\n$/);
  await expect(run(local, start, files)).rejects.toThrow(/Authorization Violation/i);
});

it('get-started shows the addresses of the stack that serves it, on any ports', async () => {
  const { origin } = local.stack;
  for (const path of ['/get-started/', '/get-started.md']) {
    const page = await (await fetch(origin + path)).text();
    expect(page, path).toContain(urlOf());
    expect(page, path).toContain(origin);
    expect(page, path).not.toMatch(/localhost:8787|127\.0\.0\.1:4222/);
  }
});

it('rotate-credentials shows requests that keep a service connected', async () => {
  const old = await newCreds(local, REGION);
  const [rotate = '', check = '', finish = ''] = codeOf('how-to/rotate-credentials', 'bash').map(here);
  const at = /^at=.*$/m.exec(rotate)?.[0] ?? '';
  const runHere = (script: string) => run(local, script, [], { CREDENTIALS_ID: old.id });
  const issued = await runHere(`${rotate}\ncat user.creds`);
  expect([await access(urlOf(), old.content), await access(urlOf(), issued)]).toEqual(['yes', 'yes']);
  expect(JSON.parse(await runHere(`${at}\n${check}`))).toMatchObject({
    rotation: { first_used_at: null, previous_last_used_at: null, previous_ends_at: null },
  });
  expect(JSON.parse(await runHere(`${at}\n${finish}`))).toMatchObject({ id: old.id, rotation: null });
  expect([await access(urlOf(), old.content), await access(urlOf(), issued)]).toEqual(['refused', 'yes']);
});

it('leaked-credentials shows how to find the credentials', async () => {
  const [digests = ''] = codeOf('how-to/leaked-credentials', 'sh');
  const [lookup = '', list = ''] = codeOf('how-to/leaked-credentials', 'bash').map(here);
  const creds = await newCreds(local, REGION);
  const PROJECT_ID = local.owner.project_id;
  await activate(local, REGION, PROJECT_ID, ['sqs']);
  const { secret_key, access_key } = await newCredentials(local, 'sqs', ALL);
  const files = [{ name: 'user.creds', content: creds.content }];
  const [ofFile = '', ofKey = ''] = (await run(local, digests, files, { SECRET_KEY: secret_key }))
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
  expect(ofFile).toBe(createHash('sha1').update(creds.content).digest('hex'));
  const found = async (script: string, member: string, checksum: string) => {
    const response = JSON.parse(await run(local, script, [], { PROJECT_ID }));
    return (response[member] as Record<string, string>[]).filter(
      (one) => one.checksum === checksum || one.secret_checksum === checksum,
    );
  };
  expect(await found(list, 'nats_credentials', ofFile)).toMatchObject([{ id: creds.id }]);
  const listQueues = list.replace('nats-credentials', 'sqs-credentials');
  expect(await found(listQueues, 'sqs_credentials', ofKey)).toMatchObject([{ access_key }]);
  const whose = JSON.parse(await run(local, lookup, [], { KEY: access_key }));
  expect(whose.results).toMatchObject([{ product: 'sqs', region: REGION, project_id: PROJECT_ID }]);
});

it('credentials-from-programs shows the requests of the whole life of credentials', async () => {
  const PROJECT_ID = await newProject(local);
  await activate(local, REGION, PROJECT_ID, ['sqs']);
  const [create = '', ...blocks] = codeOf('how-to/credentials-from-programs', 'bash').map(here);
  const shown = ['update', 'disable', 'rotate', 'finish', 'find', 'use', 'batch'];
  expect(blocks).toHaveLength(shown.length);
  const script = blocks.map((code, at) => `echo; echo "== ${shown[at]}"; ${code}`).join('\n');
  // Each response on one line.
  const printed = await run(local, `${create}\n${script}`.replaceAll(/^request /gm, 'echo; request '), [], {
    PROJECT_ID,
  });
  const responses = Object.fromEntries(
    printed.split('== ').map((part) => {
      const [name = '', ...lines] = part.split('\n');
      return [name, lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))];
    }),
  );
  const { update, disable, rotate, finish, find, use, batch } = responses;
  expect(update).toMatchObject([
    {
      name: 'orders',
      resources: ['orders-*'],
      source_ips: null,
      expires_at: null,
      tags: ['shop', 'production'],
    },
  ]);
  expect(disable).toMatchObject([
    { status: 'disabled', disabled_reason: 'Suspected leak' },
    { status: 'enabled', revoke_at: null },
  ]);
  expect(rotate).toEqual([]);
  expect(finish).toMatchObject([{ rotation: { first_used_at: null } }, { rotation: null }]);
  const id = finish?.[0].id;
  expect(find).toMatchObject([{ total_count: 1, sqs_credentials: [{ id }] }]);
  expect(use?.[0].buckets).toBeInstanceOf(Array);
  expect(batch).toMatchObject([
    { dry_run: true, results: [{ id, result: 'changed' }] },
    { dry_run: false, results: [{ id, result: 'changed' }] },
  ]);
});

const IDS = () => ({ ORGANIZATION_ID: local.owner.organization_id, PROJECT_ID: local.owner.project_id });

it('invite-member shows how to invite a member and grant permissions', async () => {
  const script = codeOf('how-to/invite-member', 'bash').map(here).join('\n');
  const policy = JSON.parse(await run(local, script, [], { ...IDS(), EMAIL: 'grace@example.com' }));
  const { users } = await api<{ users: { id: string; email: string }[] }>(
    local,
    'GET',
    '/iam/v1alpha1/users?type=member',
  );
  expect(users).toMatchObject([{ id: policy.user_id, email: 'grace@example.com' }]);
  // The email that the stack prints.
  await expect.poll(() => local.logged.join('')).toContain('grace@example.com');
});

it('program-key shows how to create an API key with the granted permissions only', async () => {
  const script = codeOf('how-to/program-key', 'bash').map(here).join('\n');
  const [created = '', key = ''] = (await run(local, `${script}\necho; echo "$KEY"`, [], IDS())).split('\n');
  expect(JSON.parse(created)).toMatchObject({
    type: 'application',
    name: 'pipeline',
    organizations: [{ permission_sets: ['QueuesFullAccess'] }],
  });
  const status = async (path: string) =>
    (await fetch(local.stack.origin + path, { headers: { 'X-Auth-Token': key } })).status;
  expect(await status(`/mnq/v1beta1/regions/${REGION}/sqs-credentials`)).toBe(200);
  expect(await status('/iam/v1alpha1/users')).toBe(403);
});

it('audit-trail shows how to export the whole trail', async () => {
  await newCreds(local, REGION);
  const [script = ''] = codeOf('reference/audit-trail', 'bash').map(here);
  const printed = await run(local, `${script}\ncat audit-trail.ndjson`, [], IDS());
  const rows = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { locality: string; action: string; resource: { type: string } });
  const seen = new Set(
    rows.map(({ locality, action, resource }) => `${locality} ${action} ${resource.type}`),
  );
  expect([...seen]).toContain(`${REGION} create nats_credentials`);
  expect(rows.some(({ locality }) => locality === 'global')).toBe(true);
  // The page explains every term that the trail uses.
  for (const { action, resource } of rows) {
    expect(Object.keys(ACTIONS)).toContain(action);
    expect(Object.keys(RESOURCES)).toContain(resource.type);
  }
});

it('the guides start with what can be done with credentials, and end with where to start', async () => {
  const page = async (name: string) => (await fetch(`${local.stack.origin}/how-to/${name}.md`)).text();
  const [manage = ''] = (await page('manage-credentials')).split('\n## ');
  for (const fact of [
    'update or revoke',
    'only revoke credentials for NATS',
    'anyone who uses them is denied',
  ]) {
    expect(manage.replace(/\s+/g, ' ')).toContain(fact);
  }
  expect((await page('create-credentials')).split('## See also')[1]).toContain('/get-started');
});
