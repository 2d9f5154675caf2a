/**
 * Chromium for tests: opens pages of the stack, signed in or not. A test fails if a page logs an error, throws one or
 * violates its Content-Security-Policy.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { afterEach, beforeAll, expect } from 'vitest';
import type { LocalStack } from './local-stack.ts';

/** The browser for the tests of a file. */
export interface TestBrowser {
  /** Opens a page in a new session: signed in as the Owner, as the user `as`, or with `stranger` not signed in. */
  open(path: string, options?: { stranger?: boolean; as?: SignIn } & BrowserContextOptions): Promise<Page>;
  /** Errors that pages have reported since the test began. A test removes the errors that it expects. */
  complaints: string[];
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** A user's credentials for signing in. */
export interface SignIn {
  email: string;
  password: string;
}

type Session = Awaited<ReturnType<Awaited<ReturnType<Browser['newContext']>>['storageState']>>;

/** Starts a browser for the tests of this file. */
export function useBrowser(local: LocalStack): TestBrowser {
  const complaints: string[] = [];
  let browser: Browser;
  let session: Session;

  beforeAll(async () => {
    browser = await launch();
    session = await signIn(browser, local, local.owner);
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    expect(complaints.splice(0)).toEqual([]);
  });

  return {
    complaints,
    async open(path, { stranger = false, as, ...options } = {}) {
      const userSession = as ? await signIn(browser, local, as) : session;
      const context = await browser.newContext({
        baseURL: local.stack.origin,
        viewport: { width: 1280, height: 900 },
        permissions: ['clipboard-read', 'clipboard-write'],
        ...(!stranger && { storageState: userSession }),
        ...options,
      });
      // A generous timeout for slow machines: these tests do not measure time.
      context.setDefaultTimeout(30_000);
      const page = await context.newPage();
      await recordErrors(page, complaints);
      await page.goto(path);
      return page;
    },
  };
}

/** The browser of this vitest worker, shared by its test files. It ends with the worker. */
let running: Browser | undefined;

async function launch(): Promise<Browser> {
  if (running?.isConnected()) return running;
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  running = await chromium.launch({ executablePath, args: FLAGS });
  return running;
}

async function signIn(
  browser: Browser,
  { stack }: LocalStack,
  { email, password }: SignIn,
): Promise<Session> {
  const context = await browser.newContext({ baseURL: stack.origin });
  const headers = { Origin: stack.origin };
  const response = await context.request.post('/auth/sign-in/email', { headers, data: { email, password } });
  if (!response.ok()) throw new Error(`Signing in responded with ${response.status()}`);
  const state = await context.storageState();
  await context.close();
  return state;
}

async function recordErrors(page: Page, complaints: string[]): Promise<void> {
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} (${page.url()})`);
  });
  page.on('pageerror', (error) => complaints.push(`${error} (${page.url()})`));
  await page.exposeFunction('complain', (text: string) => complaints.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      (window as unknown as { complain(text: string): void }).complain(`${violatedDirective} ${blockedURI}`);
    });
  });
}

/** The source of axe, configured without HTML snippets, which tests do not read. */
const AXE = `${readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')}
axe.configure({ noHtml: true });`;

/** Runs axe on a page. Resolves to the rule and element of each violation. */
export const axe = (page: Page): Promise<string[]> => runAxe(page, 'body');

/** Runs axe on the element that matches a selector, with all rules or these. */
async function runAxe(page: Page, within: string, rules?: readonly string[]): Promise<string[]> {
  // The source is half a megabyte: send and parse it once per page.
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(AXE);
  const options = { resultTypes: ['violations' as const], ...(rules && { runOnly: [...rules] }) };
  return page.evaluate(
    async ([within, options]) => {
      const { axe } = window as unknown as { axe: typeof import('axe-core') };
      const { violations } = await axe.run(within === 'body' ? document : within, options);
      return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
    },
    [within, options] as const,
  );
}

/** The rules of axe that check colors. */
const COLOR_RULES = ['color-contrast', 'link-in-text-block'];

/**
 * Checks an open page in both themes at both widths. Resolves to the violations that axe finds, and whether the page
 * scrolls sideways. The themes differ only in colors (theme.css). So each theme and each width gets all rules once, and
 * the two other combinations get only the color rules, within `part` (for pages whose header and navigation another test
 * checks).
 */
export async function inspect(
  page: Page,
  { part = 'body', widths: [wide, narrow] = [1280, 375] }: { part?: string; widths?: [number, number] } = {},
): Promise<string[]> {
  const found: string[] = [];
  for (const [width, first, second] of [
    [wide, 'light', 'dark'],
    [narrow, 'dark', 'light'],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    if (!(await fits(page))) found.push(`${width}: the page scrolls sideways`);
    await setTheme(page, first);
    const all = await axe(page);
    await setTheme(page, second);
    const colors = await runAxe(page, part, COLOR_RULES);
    found.push(...all.map((complaint) => `${first}, ${width}: ${complaint}`));
    found.push(...colors.map((complaint) => `${second}, ${width}: ${complaint}`));
  }
  return found;
}

/** Sets a page's theme as Starlight does, and finishes color transitions immediately. */
async function setTheme(page: Page, theme: 'light' | 'dark'): Promise<void> {
  await page.evaluate((theme) => {
    document.documentElement.dataset.theme = theme;
    for (const one of document.getAnimations()) if (one instanceof CSSTransition) one.finish();
  }, theme);
}

/** Resolves to whether the page fits the viewport's width. Waits for the layout after a resize. */
function fits(page: Page): Promise<boolean> {
  const fitting = page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, null, {
    timeout: 5_000,
  });
  return fitting.then(
    () => true,
    () => false,
  );
}

/** Returns the region of a page with this accessible name, usually its heading. */
export const region = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true });

/**
 * Resolves to the completed steps of a guide, counted from 1, as a screen reader announces them. `index` selects the list
 * of steps on the page: 0 for NATS, 1 for Queues, 2 for Topics and Events.
 */
export async function stepsDone(page: Page, index = 0): Promise<number[]> {
  const steps = await page.locator('.guide-steps').nth(index).locator('> li').all();
  const done = await Promise.all(steps.map((step) => step.getByText('Done:', { exact: true }).isVisible()));
  return done.flatMap((yes, index) => (yes ? [index + 1] : []));
}

/** Records everything that the page sends, and the responses of the API. Returns a function that returns it as text. */
export function recordTraffic(page: Page): () => Promise<string> {
  const texts: (string | Promise<string>)[] = [];
  page.on('request', (request) => {
    texts.push(request.url(), JSON.stringify(request.headers()), request.postData() ?? '');
  });
  page.on('response', (response) => {
    if (/\/mnq\//.test(response.url())) texts.push(response.text().catch(() => ''));
  });
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => texts.push(payload.toString())));
  return async () => (await Promise.all(texts)).join('\n');
}
