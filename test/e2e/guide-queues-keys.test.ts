/**
 * Runs the code that the guides show for Queues and for Topics and Events: the samples with the values of the form, and
 * the command and files of the secret dialog. Also tests the keys from the page itself.
 */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  activate,
  dialog,
  download,
  generate,
  listed,
  open,
  PRODUCTS,
  type Product,
  panel,
  run,
} from './access-key-form.ts';
import { useBrowser } from './browser.ts';
import {
  activate as activateByApi,
  type Credentials,
  newCredentials,
  newProject,
  revoke,
} from './gateway-clients.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
const browser = useBrowser(local);

describe.each(PRODUCTS.map((product) => [product.label, product] as const))(
  'testing keys of %s',
  (_label, product) => {
    const secret = (page: Page) => dialog(page, 'Save your credentials');
    const test = (page: Page) => secret(page).getByRole('button', { name: 'Test these credentials' }).click();

    it.each(['Write', 'Manage'])(
      'with %s shows that they are accepted, and that they are refused after a revocation',
      async (box) => {
        const project = await newProject(local);
        const page = await open(browser, 'create', product, 'nl-ams', project);
        await activate(page, product);
        await generate(page, product, 'orders', [box]);
        await test(page);
        await secret(page)
          .getByRole('status')
          .getByText(new RegExp(`^Accepted by ${product.label} in Amsterdam, after \\d+ ms\\.$`))
          .waitFor();
        const [credentials] = await listed(local, product, 'nl-ams', project);
        await revoke(local, product.id, credentials as Credentials);
        await test(page);
        await secret(page).getByRole('alert').getByText('Refused by').waitFor();
        expect(
          await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }])),
        ).not.toContain('latchkey_');
        // The browser logs the refusal, and the response for a queue that does not exist.
        for (const complaint of browser.complaints.splice(0)) expect(complaint).toMatch(/status of 40[03]/);
      },
    );

    it('with the command of the dialog works with the downloaded files', async () => {
      const page = await open(browser, 'create', product, 'fr-par', await newProject(local));
      await activate(page, product);
      await generate(page, product, 'orders', ['Read']);
      const files = [await download(page, '.env'), await download(page, 'AWS profile')];
      await secret(page).getByText('Test them from where your service runs').click();
      const command = await secret(page).getByRole('group', { name: 'Node.js' }).locator('pre').innerText();
      // The package from the install line is already installed here.
      const [install, ...rest] = command.split('\n');
      expect(install).toBe(`npm install @aws-sdk/client-${product.id}`);
      const script = rest.join('\n');
      expect(await run(local, script, files)).toBe('accepted\n');
      const profile = script.replace(/--env-file=\S+ /, '');
      const [env_file, profile_file] = files.map(({ name }) => name);
      expect(env_file).toBe(`orders-${product.step.split('-')[0]}-fr-par.env`);
      const [, named = ''] = /\[profile ([\w-]+)\]/.exec(files[1]?.content ?? '') ?? [];
      const env = { AWS_CONFIG_FILE: profile_file ?? '', AWS_PROFILE: named };
      expect(await run(local, profile, files, env)).toBe('accepted\n');
    });
  },
);

const LANGUAGES = ['curl', 'TypeScript'];
/** A name with the characters that are special in a shell, in JSON and in TypeScript. */
const NAME = `L'été "1" $HOME \\ \`x\``;

/** Resolves to the sample of a language, as displayed. */
async function sampleOf(page: Page, { id }: Product, language: string): Promise<string> {
  const form = page.locator(`access-key-credentials[data-product="${id}"]`);
  const tabs = form.getByRole('tablist').getByRole('tab');
  expect((await tabs.allTextContents()).map((text) => text.trim())).toEqual(LANGUAGES);
  await tabs.first().scrollIntoViewIfNeeded();
  await page.evaluate(() => customElements.whenDefined('code-samples').then(() => true));
  await tabs.filter({ hasText: language }).click();
  return form.getByRole('tabpanel', { name: language }).innerText();
}

/** Runs a sample. Resolves to its output. */
function runSample(language: string, sample: string, env: Record<string, string> = {}): Promise<string> {
  if (language === 'curl') return run(local, sample, [], env);
  return run(
    local,
    'node sample.ts; cat *.env 2>/dev/null || :',
    [{ name: 'sample.ts', content: sample }],
    env,
  );
}

const SAMPLES = PRODUCTS.flatMap((product) =>
  LANGUAGES.map((language) => [language, product.label, product] as const),
);

describe.each(SAMPLES)('the %s sample of %s', (language, _label, product) => {
  it('creates credentials with the name and the permissions of the form', async () => {
    const project = await newProject(local);
    const page = await open(browser, 'create', product, 'nl-ams', project);
    await activate(page, product);
    await panel(page, product).getByRole('button', { name: 'Generate credentials' }).click();
    const form = dialog(page, 'Generate credentials');
    await form.getByLabel('Name').fill(NAME);
    for (const box of ['Read', 'Manage']) await form.getByRole('checkbox', { name: box }).check();
    await form.getByRole('button', { name: 'Cancel' }).click();
    const printed = await runSample(language, await sampleOf(page, product, language));
    const [created, ...others] = await listed(local, product, 'nl-ams', project);
    expect(others).toEqual([]);
    expect(created).toMatchObject({
      name: NAME,
      permissions: { can_publish: false, can_receive: true, can_manage: true },
    });
    expect(printed).toContain(created?.access_key);
    expect(printed).toContain('latchkey_');
  });

  it('lists, updates and revokes credentials', async () => {
    const projectId = await newProject(local);
    await activateByApi(local, 'fr-par', projectId, [product.id]);
    const at = { projectId };
    const sibling = await newCredentials(local, product.id, { can_manage: true }, at);
    const { id } = await newCredentials(local, product.id, { can_publish: true }, at);
    const page = await open(browser, 'manage', product, 'fr-par', projectId);
    const sample = await sampleOf(page, product, language);
    const printed = await runSample(language, sample, { CREDENTIALS_ID: id });
    for (const one of [id, sibling.id]) expect(printed).toContain(one);
    if (language === 'curl') expect(printed).toContain('"can_publish":false,"can_receive":true');
    expect((await listed(local, product, 'fr-par', projectId)).map((one) => one.id)).toEqual([sibling.id]);
  });
});
