/**
 * What the pages that connect clients show for Node.js and curl is run as it is shown, with the file that the guide hands
 * out; and the page on permissions shows what the gateway's table says. What is for other clients was run by hand:
 * test/unit/tried-samples.test.ts.
 */
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { actions, allows } from '../../functions/gateway/actions.ts';
import { useBrowser } from './browser.ts';
import { ALL, activate, type Credentials, newCredentials, newProject, sqsClient } from './gateway-clients.ts';
import { run } from './keyed-form.ts';
import { useStack } from './local-stack.ts';
import { newCreds } from './nats-client.ts';
import { codeOf } from './pages.ts';

const local = useStack();
const browser = useBrowser(local);

const PAGES = [
  { page: 'how-to/connect-queues', service: 'sqs', file: 'queues' },
  { page: 'how-to/connect-topics', service: 'sns', file: 'topics' },
] as const;
const NODE = 'Node.js';

/** The file that the secret dialog hands out for credentials. */
const envFile = (service: 'sqs' | 'sns', file: string, { access_key, secret_key, region }: Credentials) => ({
  name: `${file}.env`,
  content: `AWS_ACCESS_KEY_ID=${access_key}\nAWS_SECRET_ACCESS_KEY=${secret_key}\nAWS_REGION=${region}\nAWS_ENDPOINT_URL_${service.toUpperCase()}=${local.stack.origin}\n`,
});

describe.each(PAGES)('the page $page', ({ page, service, file }) => {
  it('shows a program and a command that work', async () => {
    const projectId = await newProject(local);
    await activate(local, 'nl-ams', projectId);
    const credentials = await newCredentials(local, service, ALL, { region: 'nl-ams', projectId });
    const env = envFile(service, file, credentials);
    const [install, start = ''] = codeOf(page, 'sh', NODE);
    // The package that it installs is here already.
    expect(install).toBe(`npm install @aws-sdk/client-${service}\n`);
    const [program = ''] = codeOf(page, 'js', NODE);
    const printed = await run(local, start, [env, { name: `${file}.mjs`, content: program }]);
    expect(printed).toMatch(
      service === 'sqs'
        ? /^one coffee\n$/
        : new RegExp(`^arn:scw:sns:nl-ams:project-${projectId}:orders \\S+\n$`),
    );
    const [script = ''] = codeOf(page, 'bash', 'curl').map((code) => code.replaceAll('=orders', '=invoices'));
    const listed = await run(local, script, [env]);
    for (const name of ['orders', 'invoices']) expect(listed).toMatch(new RegExp(`[/:]${name}<`));
  });
});

it('the page connect-nats shows a program that works', async () => {
  const page = 'how-to/connect-nats';
  const creds = await newCreds(local, 'nl-ams');
  const [install, start = ''] = codeOf(page, 'sh', NODE);
  expect(install).toBe('npm install @nats-io/transport-node\n');
  const [program = ''] = codeOf(page, 'js', NODE);
  const [address = ''] = codeOf(page, 'sh');
  const url = local.stack.nats.get('nl-ams')?.url ?? '';
  const files = [
    { name: 'user.creds', content: creds.content },
    { name: 'nats.mjs', content: program },
  ];
  const script = address.replace('tls://nats.example.com:4222', url) + start;
  expect(await run(local, script, files)).toBe('one coffee\n');
});

it('the page connect-topics shows how a topic delivers to a queue', async () => {
  const projectId = await newProject(local);
  await activate(local, 'fr-par', projectId);
  const topics = await newCredentials(local, 'sns', ALL, { projectId });
  const queues = sqsClient(local, await newCredentials(local, 'sqs', ALL, { projectId }));
  const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: 'kitchen' }));
  const [publish = '', subscribe = ''] = codeOf('how-to/connect-topics', 'js');
  const files = [
    envFile('sns', 'topics', topics),
    { name: 'topics.mjs', content: publish },
    { name: 'subscribe.mjs', content: subscribe },
  ];
  const start = codeOf('how-to/connect-topics', 'sh', NODE)[1] ?? '';
  const [topic = ''] = (await run(local, start, files)).split(' ');
  const queue = topic.replace(':sns:', ':sqs:').replace(/orders$/, 'kitchen');
  const arn = await run(local, start.replace('topics.mjs', `subscribe.mjs ${topic} ${queue}`), files);
  expect(arn).toContain(topic);
  await run(local, start, files);
  const { Messages } = await queues.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
  expect(Messages?.[0]?.Body).toContain('one coffee');
});

it('the page on permissions shows the table of the gateway', async () => {
  const page = await browser.open('/reference/permissions/', { stranger: true });
  for (const [label, service] of [
    ['Queues', 'sqs'],
    ['Topics and Events', 'sns'],
  ] as const) {
    const table = page.getByRole('table', { name: `Permissions of ${label}` });
    const served = Object.entries(actions[service]).filter(([, { needs }]) => needs !== 'refused');
    expect(await table.getByRole('row').count()).toBe(served.length + 1);
    for (const [name, { needs }] of served) {
      const cells = await table
        .locator('tr', { has: page.getByText(name, { exact: true }) })
        .locator('td')
        .allInnerTexts();
      expect([name, ...cells.map((text) => text.includes('Yes'))]).toEqual([
        name,
        ...[1, 2, 4].map((bit) => allows(needs, bit)),
      ]);
    }
  }
});
