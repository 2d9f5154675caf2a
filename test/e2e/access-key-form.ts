/**
 * Operates the forms of Queues and of Topics and Events in the guides like a reader: by role and label. Asserts only
 * that the shown keys are well-formed.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { root } from '../stack/project.ts';
import { region, type TestBrowser } from './browser.ts';
import type { Credentials } from './gateway-clients.ts';
import { api, type LocalStack } from './local-stack.ts';

const MNQ = '/mnq/v1beta1/regions';

/** The two products, with the anchor of their section and the number of its list of steps. */
export const PRODUCTS = [
  { id: 'sqs', label: 'Queues', step: 'queues', list: 1 },
  { id: 'sns', label: 'Topics and Events', step: 'topics-and-events', list: 2 },
] as const;
/** A key of {@link PRODUCTS}. */
export type Product = (typeof PRODUCTS)[number];

/** Opens a guide at a product's form, and waits until the region's data has loaded. */
export async function open(
  browser: TestBrowser,
  guide: string,
  product: Product,
  at: string,
  project: string,
): Promise<Page> {
  const path = `/how-to/${guide}-credentials/?region=${at}&project=${project}#${product.step}`;
  const page = await browser.open(path);
  await region(page, `Credentials for ${product.label}`)
    .locator('[data-when="loading"]')
    .waitFor({ state: 'hidden' });
  return page;
}

/** The Credentials panel of a product. */
export const panel = (page: Page, { label }: Product) => region(page, `Credentials for ${label}`);
/** A dialog by its title. */
export const dialog = (page: Page, name: string) => page.getByRole('dialog', { name });
/** The status text of a product's panel. */
export const status = (page: Page, product: Product) => panel(page, product).getByRole('status');
/** A row of the list by the name in it. */
export const row = (page: Page, product: Product, name: string) =>
  panel(page, product).getByRole('row').filter({ hasText: name });
/** Whether an element has the focus. */
export const hasFocus = (locator: Locator) => locator.evaluate((node) => node === document.activeElement);

/** Activates a product in its panel. */
export async function activate(page: Page, product: Product): Promise<void> {
  await panel(page, product)
    .getByRole('button', { name: `Activate ${product.label}` })
    .click();
  await status(page, product).getByText('is active in').waitFor();
}

/** Generates credentials; the dialog with the keys is open afterwards. */
export async function generate(page: Page, product: Product, name: string, boxes: string[]): Promise<void> {
  await panel(page, product).getByRole('button', { name: 'Generate credentials' }).click();
  const form = dialog(page, 'Generate credentials');
  await form.getByLabel('Name').fill(name);
  for (const box of boxes) await form.getByRole('checkbox', { name: box }).check();
  await form.getByRole('button', { name: 'Generate credentials' }).click();
  await dialog(page, 'Save your credentials').waitFor();
}

/** Reveals the keys in the dialog and returns them. */
export async function shownKeys(page: Page): Promise<{ access_key: string; secret_key: string }> {
  const keys: string[] = [];
  for (const label of ['Access key', 'Secret key']) {
    const field = dialog(page, 'Save your credentials').getByRole('group', { name: label });
    // The access key is public.
    if (label === 'Access key') {
      keys.push(await field.locator('code').innerText());
      continue;
    }
    expect(await field.locator('pre').innerText()).toMatch(/^•+$/);
    await field.getByRole('button', { name: `Show ${label}` }).click();
    keys.push(await field.locator('pre').innerText());
    await field.getByRole('button', { name: `Hide ${label}` }).waitFor();
  }
  const [access_key = '', secret_key = ''] = keys;
  expect(access_key).toMatch(/^LKEY[A-Za-z0-9]{16}$/);
  expect(secret_key).toMatch(/^latchkey_/);
  return { access_key, secret_key };
}

/** Downloads a file from the dialog and returns its text. */
export async function download(page: Page, label: string): Promise<{ name: string; content: string }> {
  const button = dialog(page, 'Save your credentials').getByRole('button', {
    name: `Download ${label}`,
    exact: true,
  });
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: file.suggestedFilename(), content: readFileSync(await file.path(), 'utf8') };
}

/** Closes a dialog with a secret; it asks for confirmation if nobody has copied or downloaded the secret. */
export async function save(page: Page): Promise<void> {
  const saved = page.getByRole('dialog').getByRole('button', { name: /^I have saved/ });
  await saved.click();
  if (await saved.isVisible()) await saved.click();
}

/** Selects an action in a row's menu. */
export async function more(page: Page, product: Product, name: string, action: string): Promise<void> {
  await panel(page, product)
    .getByRole('button', { name: `See more actions for ${name}` })
    .click();
  await page.getByRole('menuitem', { name: action }).click();
}

/** Returns the credentials that the API lists. */
export async function listed(
  local: LocalStack,
  { id }: Product,
  at: string,
  project: string,
): Promise<Credentials[]> {
  const path = `${MNQ}/${at}/${id}-credentials?project_id=${project}`;
  return (await api<Record<string, Credentials[]>>(local, 'GET', path))[`${id}_credentials`] ?? [];
}

/** Runs a shell script in a folder with these files. Resolves to its output. */
export async function run(
  local: LocalStack,
  script: string,
  files: { name: string; content: string }[],
  env: Record<string, string> = {},
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-keys-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const { name, content } of files) writeFileSync(join(folder, name), content);
    const { stdout } = await promisify(execFile)('sh', ['-euc', script], {
      cwd: folder,
      env: {
        PATH: join(root, 'node_modules/.bin') + delimiter + process.env.PATH,
        HOME: folder,
        LATCHKEY_ACCESS_KEY: local.owner.access_key,
        LATCHKEY_SECRET_KEY: local.owner.secret_key,
        ...env,
      },
    });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
