/**
 * What the pages "Connect a Queues client" and "Connect a Topics and Events client" show is run as it is shown, with the
 * `.env` file that the guide hands out; and the page on permissions shows what the gateway's table says.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { actions, allows } from '../../functions/gateway/actions.ts';
import { root } from '../stack/project.ts';
import { useBrowser } from './browser.ts';
import { ALL, activate, type Credentials, newCredentials, newProject, sqsClient } from './gateway-clients.ts';
import { run } from './keyed-form.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
const browser = useBrowser(local);

const PAGES = [
  { page: 'connect-queues', service: 'sqs', file: 'queues' },
  { page: 'connect-topics', service: 'sns', file: 'topics' },
] as const;

/** The code of a page in one language, as its source has it. */
function codeOf(page: string, language: string): string[] {
  const text = readFileSync(join(root, 'site/src/content/docs/how-to', `${page}.mdx`), 'utf8');
  const blocks = text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'));
  return [...blocks].map(([, indent = '', code = '']) => code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}

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
    const [install, start = ''] = codeOf(page, 'sh');
    // The package that it installs is here already.
    expect(install).toBe(`npm install @aws-sdk/client-${service}\n`);
    const [program = ''] = codeOf(page, 'js');
    const printed = await run(local, start, [env, { name: `${file}.mjs`, content: program }]);
    expect(printed).toMatch(
      service === 'sqs'
        ? /^one coffee\n$/
        : new RegExp(`^arn:scw:sns:nl-ams:project-${projectId}:orders \\S+\n$`),
    );
    const listed = await run(local, codeOf(page, 'bash')[0] ?? '', [env]);
    for (const name of ['orders', 'invoices']) expect(listed).toMatch(new RegExp(`[/:]${name}<`));
  });
});

it('the page connect-topics shows how a topic delivers to a queue', async () => {
  const projectId = await newProject(local);
  await activate(local, 'fr-par', projectId);
  const topics = await newCredentials(local, 'sns', ALL, { projectId });
  const queues = sqsClient(local, await newCredentials(local, 'sqs', ALL, { projectId }));
  const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: 'kitchen' }));
  const [publish = '', subscribe = ''] = codeOf('connect-topics', 'js');
  const files = [
    envFile('sns', 'topics', topics),
    { name: 'topics.mjs', content: publish },
    { name: 'subscribe.mjs', content: subscribe },
  ];
  const start = codeOf('connect-topics', 'sh')[1] ?? '';
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
