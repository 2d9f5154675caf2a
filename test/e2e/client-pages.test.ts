/**
 * Runs the code for Node.js and curl on the client pages unchanged, with the file that the guide offers for download,
 * and compares the permissions page with the gateway's table. Code for other clients was run by hand: see
 * test/unit/tried-samples.test.ts.
 */
import { expect, it } from 'vitest';
import { actions, allows } from '../../functions/gateway/actions.ts';
import { run } from './access-key-form.ts';
import { useBrowser } from './browser.ts';
import { ALL, activate, type Credentials, newCredentials, newProject } from './gateway-clients.ts';
import { useStack } from './local-stack.ts';
import { newAccount, newCreds } from './nats-client.ts';
import { codeOf } from './pages.ts';

const local = useStack();
const browser = useBrowser(local);

const NODE = 'Node.js';
const LABELS = { sqs: 'queues', sns: 'topics' };

/** Returns the file that the secret dialog offers for credentials named `orders`. */
const envFile = (service: 'sqs' | 'sns', { access_key, secret_key, region }: Credentials) => ({
  name: `orders-${LABELS[service]}-${region}.env`,
  content: `AWS_ACCESS_KEY_ID=${access_key}\nAWS_SECRET_ACCESS_KEY=${secret_key}\nAWS_REGION=${region}\nAWS_ENDPOINT_URL_${service.toUpperCase()}=${local.stack.origin}\n`,
});

/** Creates a project and returns the files of both products, in the region that the pages use. */
async function envFiles() {
  const projectId = await newProject(local);
  await activate(local, 'fr-par', projectId);
  const credentials = (service: 'sqs' | 'sns') => newCredentials(local, service, ALL, { projectId });
  return [envFile('sqs', await credentials('sqs')), envFile('sns', await credentials('sns'))];
}

it('the page connect-queues sends and receives a message, with Node.js and with curl', async () => {
  const page = 'how-to/connect-queues';
  const files = await envFiles();
  const [install, start = ''] = codeOf(page, 'sh', NODE);
  // The package that this line installs is already here.
  expect(install).toBe('npm install @aws-sdk/client-sqs\n');
  const [program = ''] = codeOf(page, 'js', NODE);
  expect(await run(local, start, [...files, { name: 'queues.mjs', content: program }])).toBe('one coffee\n');
  const [script = ''] = codeOf(page, 'bash', 'curl');
  expect(await run(local, script, files)).toMatch(/<Body>one coffee<\/Body>/);
});

it('the page connect-topics publishes a message and receives it from a queue, with Node.js and with curl', async () => {
  const page = 'how-to/connect-topics';
  const [install, start = ''] = codeOf(page, 'sh', NODE);
  expect(install).toBe('npm install @aws-sdk/client-sns @aws-sdk/client-sqs\n');
  const [program = ''] = codeOf(page, 'js', NODE);
  const files = [...(await envFiles()), { name: 'topics.mjs', content: program }];
  expect(await run(local, start, files)).toBe('one coffee\n');
  const [script = ''] = codeOf(page, 'bash', 'curl');
  const printed = await run(local, script, await envFiles());
  const received = /<Body>(.*)<\/Body>/.exec(printed)?.[1]?.replaceAll('&quot;', '"') ?? '';
  // As the page describes the notification.
  const [, topic] = /<SubscriptionArn>(.*):[^:]*<\/SubscriptionArn>/.exec(printed) ?? [];
  const [, published] = /<PublishResult><MessageId>([^<]*)/.exec(printed) ?? [];
  expect(JSON.parse(received)).toMatchObject({
    Message: 'one coffee',
    MessageId: published,
    TopicArn: topic,
  });
});

it('the page connect-nats shows a working program', async () => {
  const page = 'how-to/connect-nats';
  const creds = await newCreds(local, 'nl-ams');
  const [install, start = ''] = codeOf(page, 'sh', NODE);
  expect(install).toBe('npm install @nats-io/transport-node\n');
  const [program = ''] = codeOf(page, 'js', NODE);
  const [address = ''] = codeOf(page, 'sh');
  const url = local.stack.nats.get('nl-ams')?.url ?? '';
  const files = [
    { name: 'orders-nats-fr-par.creds', content: creds.content },
    { name: 'nats.mjs', content: program },
  ];
  const script = address.replace('tls://nats.example.com:4222', url) + start;
  expect(await run(local, script, files)).toBe('one coffee\n');
});

it('the page own-key creates credentials that the program of connect-nats uses', async () => {
  const page = 'how-to/own-key';
  const [install, start = ''] = codeOf(page, 'sh', NODE);
  expect(install).toBe('npm install @nats-io/nkeys\n');
  const [program = ''] = codeOf(page, 'js', NODE);
  const [connecting = ''] = codeOf('how-to/connect-nats', 'js', NODE);
  const files = [
    { name: 'create.mjs', content: program.replace('https://latchkey.example.com', local.stack.origin) },
    { name: 'nats.mjs', content: connecting },
  ];
  const ACCOUNT_ID = await newAccount(local, 'fr-par');
  const NATS_URL = local.stack.nats.get('fr-par')?.url ?? '';
  const script = `${start}\nnode nats.mjs\nstat -c %a orders-nats-fr-par.creds`;
  expect(await run(local, script, files, { ACCOUNT_ID, NATS_URL })).toBe('one coffee\n600\n');
});

it('the page on permissions matches the gateway’s table of actions', async () => {
  const page = await browser.open('/reference/permissions/', { stranger: true });
  for (const [label, service] of [
    ['Queues', 'sqs'],
    ['Topics and Events', 'sns'],
  ] as const) {
    const table = page.getByRole('table', { name: `Permissions of ${label}` });
    const served = Object.entries(actions[service]).filter(([, { requires }]) => requires !== 'refused');
    expect(await table.getByRole('row').count()).toBe(served.length + 1);
    for (const [name, { requires }] of served) {
      const cells = await table
        .locator('tr', { has: page.getByText(name, { exact: true }) })
        .locator('td')
        .allInnerTexts();
      expect([name, ...cells.map((text) => text.includes('Yes'))]).toEqual([
        name,
        ...[1, 2, 4].map((bit) => allows(requires, bit)),
      ]);
    }
  }
});
