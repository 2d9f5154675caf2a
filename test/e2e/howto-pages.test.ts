/** What "Get started", "Rotate credentials" and "A credential has leaked" show is run, and what they promise is so. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { ALL, activate, newCredentials } from './gateway-clients.ts';
import { run } from './keyed-form.ts';
import { api, useStack } from './local-stack.ts';
import { access, newAccount, newCreds } from './nats-client.ts';
import { codeOf } from './pages.ts';

const local = useStack();
const REGION = 'fr-par';
const NATS = `/mnq/v1beta1/regions/${REGION}/nats-credentials`;

const here = (code: string) => code.replaceAll('https://latchkey.example.com', local.stack.origin);
const urlOf = () => local.stack.nats.get(REGION)?.url ?? '';

async function openConnections(id: string): Promise<number> {
  const told = await api<{ connections: object[] }>(local, 'GET', `${NATS}/${id}/connections`);
  return told.connections.length;
}

it('get-started shows a program that hears itself until its credentials are revoked', async () => {
  const creds = await newCreds(local, REGION);
  const [program = ''] = codeOf('get-started', 'js');
  const start = codeOf('get-started', 'sh').at(-1)?.replace('nats://127.0.0.1:4222', urlOf()) ?? '';
  const files = [
    { name: 'user.creds', content: creds.content },
    { name: 'orders.mjs', content: program },
  ];
  const ended = run(local, start, files);
  await expect.poll(() => openConnections(creds.id), { timeout: 20_000 }).toBe(1);
  // It publishes once a second.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await api(local, 'DELETE', `${NATS}/${creds.id}`);
  expect(await ended).toMatch(/^(one coffee\n)+cut off\n$/);
  await expect(run(local, start, files)).rejects.toThrow(/Authorization Violation/i);
});

it('rotate-credentials shows requests that leave a service connected', async () => {
  const account = await newAccount(local, REGION);
  const old = await newCreds(local, REGION, account);
  const script = codeOf('how-to/rotate-credentials', 'bash').map(here).join('\n');
  const printed = await run(local, `${script}\necho\ncat user.creds`, [], {
    ACCOUNT_ID: account,
    OLD_ID: old.id,
  });
  expect(printed).toMatch(/"servers":1,"servers_answered":1,.*"connections":\[\]/);
  const issued = printed.slice(printed.indexOf('-----BEGIN'));
  expect(await access(urlOf(), issued)).toBe('yes');
  expect(await access(urlOf(), old.content)).toBe('refused');
});

it('leaked-credentials shows how to find out which it is', async () => {
  const [digests = ''] = codeOf('how-to/leaked-credentials', 'sh');
  const [list = ''] = codeOf('how-to/leaked-credentials', 'bash').map(here);
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
    const answer = JSON.parse(await run(local, script, [], { PROJECT_ID }));
    return (answer[member] as Record<string, string>[]).filter(
      (one) => one.checksum === checksum || one.secret_checksum === checksum,
    );
  };
  expect(await found(list, 'nats_credentials', ofFile)).toMatchObject([{ id: creds.id }]);
  const keyed = list.replace('nats-credentials', 'sqs-credentials');
  expect(await found(keyed, 'sqs_credentials', ofKey)).toMatchObject([{ access_key }]);
});
