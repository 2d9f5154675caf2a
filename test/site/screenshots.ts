/**
 * The command line of `npm run screenshots [-- folder [picture…]]`: screenshots of the main pages and dialogs, light
 * and dark, on desktop and phone, as PNG files in `screenshots/` or another folder; all of them or the named ones. It
 * checks nothing. The README's are created with
 *
 * npm run screenshots -- site/screenshots create-form-desk-light revocation-demo-desk-dark
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { root } from '../stack/project.ts';
import { chromiumPath, type OwnStack, withStack } from './own-stack.ts';

const SIZES = { desk: { width: 1280, height: 860 }, phone: { width: 375, height: 812 } };
const REGION = 'fr-par';
const CREATE = '/how-to/create-credentials/';
const MANAGE = '/how-to/manage-credentials/';

/** Data that the screenshots show: created once, the same in each. */
interface Scene {
  account: string;
  project: string;
}

/** Actions on a page before its screenshot. */
type Pose = (page: Page, scene: Scene) => Promise<unknown>;

const panel = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const press = (page: Page, name: string | RegExp) =>
  page.getByRole('button', { name }).filter({ visible: true }).first().click();
const to = (path: string, after?: Pose): Pose => {
  return async (page, scene) => {
    const place = new URLSearchParams({ region: REGION, project: scene.project, account: scene.account });
    const [file, anchor] = path.split('#');
    await page.goto(`${file}?${place}${anchor ? `#${anchor}` : ''}`, { waitUntil: 'networkidle' });
    await after?.(page, scene);
  };
};

async function generate(page: Page): Promise<void> {
  await panel(page, 'Credentials for Queues').getByRole('button', { name: 'Generate credentials' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('checkout');
  for (const box of ['Write', 'Read']) await page.getByRole('checkbox', { name: box }).check();
}

/** Name of the screenshot → its page and actions. Those in `SIGNED_OUT` are taken signed out. */
const PICTURES: Record<string, Pose> = {
  landing: (page) => page.goto('/', { waitUntil: 'networkidle' }),
  'sign-in': (page) => page.goto('/sign-in/', { waitUntil: 'networkidle' }),
  'create-signed-out': (page) => page.goto(CREATE, { waitUntil: 'networkidle' }),
  create: to(CREATE),
  'create-form': to(`${CREATE}#nats-generate`),
  'generate-dialog': to(`${CREATE}#queues-generate`, generate),
  manage: to(MANAGE),
  'manage-queues': to(`${MANAGE}#queues-find`),
  'revoke-dialog': to(`${MANAGE}#nats-find`, async (page) => {
    await press(page, 'Revoke orders');
    await page.getByText('clients are connected').waitFor();
  }),
  'revocation-demo': to(`${MANAGE}#nats-live`, async (page) => {
    await press(page, 'Start');
    await page.getByText('Received').nth(1).waitFor();
    await press(page, 'Revoke now');
    await page.getByText('Connecting again is denied').waitFor();
  }),
  errors: to('/reference/errors/'),
  'console-nats': to('/console/nats/'),
  'console-queues': to('/console/queues/#credentials'),
  'console-projects': to('/console/projects/'),
  'console-iam': to('/console/iam/'),
  'console-audit': to('/console/audit/'),
  security: (page) => page.goto('/account/security/', { waitUntil: 'networkidle' }),
  // Last: each creates credentials, which the others should not show.
  'secret-dialog': to(`${CREATE}#queues-generate`, async (page) => {
    await generate(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Generate credentials' }).click();
    await page.getByRole('dialog', { name: 'Save your credentials' }).waitFor();
  }),
};
const SIGNED_OUT = ['landing', 'sign-in', 'create-signed-out'];

/** Calls the API as the Owner. */
async function call(
  { stack, owner }: OwnStack,
  path: string,
  body: object,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${stack.origin}/mnq/v1beta1/regions/${REGION}${path}`, {
    method: 'POST',
    headers: { 'X-Auth-Token': owner.secret_key, 'Content-Type': 'application/json' },
    body: JSON.stringify({ project_id: owner.project_id, ...body }),
  });
  if (!response.ok) throw new Error(`POST ${path} returned ${response.status}`);
  return response.json() as Promise<Record<string, unknown>>;
}

/** Creates an account with credentials that two clients use, and credentials for Queues. */
async function prepare(own: OwnStack): Promise<Scene & { end: () => Promise<unknown> }> {
  const account = String((await call(own, '/nats-accounts', { name: 'Production' })).id);
  await call(own, '/nats-credentials', { nats_account_id: account, name: 'billing' });
  const made = await call(own, '/nats-credentials', { nats_account_id: account, name: 'orders' });
  const { content } = made.credentials as { content: string };
  const clients = ['orders-api', 'orders-worker'].map((name) =>
    connect({
      servers: own.stack.nats.get(REGION)?.url ?? '',
      name,
      authenticator: credsAuthenticator(new TextEncoder().encode(content)),
    }),
  );
  await call(own, '/activate-sqs', {});
  const some = { can_publish: true, can_receive: true };
  await call(own, '/sqs-credentials', { name: 'checkout', permissions: some });
  await call(own, '/sqs-credentials', { name: 'metrics', permissions: { can_receive: true } });
  const connected = await Promise.all(clients);
  const end = () => Promise.all(connected.map((client) => client.close()));
  return { account, project: own.owner.project_id, end };
}

async function signIn(context: BrowserContext, { stack, owner }: OwnStack): Promise<void> {
  const { email, password } = owner;
  const headers = { Origin: stack.origin };
  const response = await context.request.post('/auth/sign-in/email', { headers, data: { email, password } });
  if (!response.ok()) throw new Error(`Sign-in returned ${response.status()}`);
}

/** A browser context for each kind of screenshot: a name, and a signed-in or signed-out user. */
async function looks(browser: Browser, own: OwnStack) {
  const found: { name: string; stranger: BrowserContext; owner: BrowserContext }[] = [];
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const options = { baseURL: own.stack.origin, viewport, colorScheme, reducedMotion: 'reduce' as const };
      const stranger = await browser.newContext(options);
      const owner = await browser.newContext(options);
      await signIn(owner, own);
      found.push({ name: `${size}-${colorScheme}`, stranger, owner });
    }
  }
  return found;
}

async function takeAll(browser: Browser, own: OwnStack, scene: Scene): Promise<void> {
  const all = await looks(browser, own);
  for (const [name, pose] of Object.entries(PICTURES)) {
    for (const look of all) {
      const file = `${name}-${look.name}`;
      if (names.length > 0 && !names.includes(file)) continue;
      const page = await (SIGNED_OUT.includes(name) ? look.stranger : look.owner).newPage();
      await pose(page, scene);
      await page.screenshot({ path: join(folder, `${file}.png`) });
      await page.close();
    }
  }
}

const [into, ...names] = process.argv.slice(2);
const folder = resolve(into ?? join(root, 'screenshots'));
mkdirSync(folder, { recursive: true });
await withStack(async (own) => {
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const scene = await prepare(own);
  try {
    await takeAll(browser, own, scene);
  } finally {
    await Promise.all([browser.close(), scene.end()]);
  }
});
console.log(`The pictures are in ${folder}`);
process.exit(0);
