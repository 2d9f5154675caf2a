/**
 * Runs the code samples of both guides unchanged, with the values that the forms insert, and the command of the
 * secret dialog.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../stack/project.ts';
import { region, useBrowser } from './browser.ts';
import { api, useStack } from './local-stack.ts';
import { access, newAccount, newCreds } from './nats-client.ts';

const local = useStack();
const browser = useBrowser(local);
const REGION = 'fr-par';
const AT = `/mnq/v1beta1/regions/${REGION}`;
/** A name with every special character of a shell, JSON and TypeScript. */
const NAME = `L'été "1" $HOME \\ \`x\``;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-samples-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a program in the folder, with the Owner's API key in the environment. Resolves to its output. */
async function run(program: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, {
    cwd: folder,
    env: {
      PATH: join(root, 'node_modules/.bin') + delimiter + process.env.PATH,
      LATCHKEY_ACCESS_KEY: local.owner.access_key,
      LATCHKEY_SECRET_KEY: local.owner.secret_key,
      ...env,
    },
  });
  return stdout;
}

const runners: Record<string, (text: string, env?: Record<string, string>) => Promise<string>> = {
  curl: (text, env) => run('sh', ['-euc', text], env),
  TypeScript: (text, env) => {
    writeFileSync(join(folder, 'sample.ts'), text);
    return run('node', ['sample.ts'], env);
  },
};
const LANGUAGES = Object.keys(runners);

/** Returns the sample of a language as the page shows it. */
async function sampleOf(page: Page, language: string): Promise<string> {
  const form = page.locator('nats-credentials');
  const tabs = form.getByRole('tablist');
  expect(await tabs.getByRole('tab').allTextContents()).toEqual(
    expect.arrayContaining([expect.stringMatching(/\S/)]),
  );
  expect((await tabs.getByRole('tab').allTextContents()).map((text) => text.trim())).toEqual(LANGUAGES);
  // The script of the samples loads when they are visible.
  await tabs.scrollIntoViewIfNeeded();
  await page.evaluate(() => customElements.whenDefined('code-samples').then(() => true));
  await tabs.getByRole('tab', { name: language }).click();
  return form.getByRole('tabpanel', { name: language }).innerText();
}

async function credentialsOf(account: string): Promise<{ id: string; name: string }[]> {
  const path = `${AT}/nats-credentials?nats_account_id=${account}`;
  return (await api<{ nats_credentials: { id: string; name: string }[] }>(local, 'GET', path))
    .nats_credentials;
}

const urlOf = () => local.stack.nats.get(REGION)?.url ?? '';

describe.each(LANGUAGES)('the %s sample', (language) => {
  it('creates credentials with the entered name', async () => {
    const account = await newAccount(local, REGION);
    const page = await browser.open(`/how-to/create-credentials/?region=${REGION}&account=${account}`);
    await page.locator(`input[value="${account}"]:checked`).waitFor();
    await region(page, 'Credentials').getByRole('button', { name: 'Generate credentials' }).click();
    const dialog = page.getByRole('dialog', { name: 'Generate credentials' });
    await dialog.getByLabel('Name').fill(NAME);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    const sample = await sampleOf(page, language);
    expect(sample).toContain(account);
    const printed = await runners[language]?.(sample);
    expect((await credentialsOf(account)).map(({ name }) => name)).toEqual([NAME]);
    const content = printed?.startsWith('{')
      ? JSON.parse(printed).credentials.content
      : readFileSync(join(folder, 'user.creds'), 'utf8');
    expect(await access(urlOf(), content)).toBe('yes');
  });

  it('lists and revokes credentials', async () => {
    const creds = await newCreds(local, REGION);
    const sibling = await newCreds(local, REGION, creds.account);
    const page = await browser.open(`/how-to/manage-credentials/?region=${REGION}&account=${creds.account}`);
    await page.locator(`input[value="${creds.account}"]:checked`).waitFor();
    const sample = await sampleOf(page, language);
    const printed = await runners[language]?.(sample, { CREDENTIALS_ID: creds.id });
    for (const { id } of [creds, sibling]) expect(printed).toContain(id);
    expect((await credentialsOf(creds.account)).map(({ id }) => id)).toEqual([sibling.id]);
    expect(await access(urlOf(), creds.content)).toBe('refused');
  });
});

it('the command in the secret dialog publishes a message and receives it', async () => {
  const account = await newAccount(local, REGION);
  const page = await browser.open(`/how-to/create-credentials/?region=${REGION}&account=${account}`);
  await page.locator(`input[value="${account}"]:checked`).waitFor();
  await region(page, 'Credentials').getByRole('button', { name: 'Generate credentials' }).click();
  const dialog = page.getByRole('dialog', { name: 'Generate credentials' });
  await dialog.getByLabel('Name').fill(NAME);
  await dialog.getByRole('button', { name: 'Generate credentials' }).click();
  const secret = page.getByRole('dialog', { name: 'Save your credentials' });
  const button = secret.getByRole('button', { name: /^Download/ });
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
  await file.saveAs(join(folder, file.suggestedFilename()));
  await secret.getByText('Test them from where your service runs').click();
  const command = await secret.getByRole('group', { name: 'Node.js' }).locator('pre').innerText();
  // The package that its first line installs is already here.
  const [install, ...rest] = command.split('\n');
  expect(install).toBe('npm install @nats-io/transport-node');
  expect(await run('sh', ['-euc', rest.join('\n')])).toBe('it works\n');
});
