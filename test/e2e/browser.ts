/**
 * Chromium for tests: pages of the stack, signed in or not. A test fails when a page logged an error, threw one or
 * broke its Content-Security-Policy. Finds nothing on pages: that is each test's affair, by role and label.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { afterEach, beforeAll, expect } from 'vitest';
import type { LocalStack } from './local-stack.ts';

/** What tests use of the browser. */
export interface TestBrowser {
  /** A page in a session of its own, signed in as the Owner unless `stranger`, or as somebody else. */
  open(path: string, options?: { stranger?: boolean; as?: SignIn } & BrowserContextOptions): Promise<Page>;
  /** What pages have complained of since the test began. A test that provokes something takes it out. */
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

/** What somebody signs in with. */
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
    session = await signedIn(browser, local, local.owner);
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    expect(complaints.splice(0)).toEqual([]);
  });

  return {
    complaints,
    async open(path, { stranger = false, as, ...options } = {}) {
      const own = as ? await signedIn(browser, local, as) : session;
      const context = await browser.newContext({
        baseURL: local.stack.origin,
        viewport: { width: 1280, height: 900 },
        permissions: ['clipboard-read', 'clipboard-write'],
        ...(!stranger && { storageState: own }),
        ...options,
      });
      // Longer than anything takes on the slowest machine: nothing here is a statement about time.
      context.setDefaultTimeout(30_000);
      const page = await context.newPage();
      await listen(page, complaints);
      await page.goto(path);
      return page;
    },
  };
}

/** The browser of this worker, which its test files share. It ends with the worker. */
let running: Browser | undefined;

async function launch(): Promise<Browser> {
  if (running?.isConnected()) return running;
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  running = await chromium.launch({ executablePath, args: FLAGS });
  return running;
}

async function signedIn(
  browser: Browser,
  { stack }: LocalStack,
  { email, password }: SignIn,
): Promise<Session> {
  const context = await browser.newContext({ baseURL: stack.origin });
  const headers = { Origin: stack.origin };
  const answer = await context.request.post('/auth/sign-in/email', { headers, data: { email, password } });
  if (!answer.ok()) throw new Error(`Signing in answered ${answer.status()}`);
  const state = await context.storageState();
  await context.close();
  return state;
}

async function listen(page: Page, complaints: string[]): Promise<void> {
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

/** axe, which does not copy the HTML of each element that passes, because nothing here reads it. */
const AXE = `${readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')}
axe.configure({ noHtml: true });`;

/** What axe finds wrong with the page as it is now: rule and place of each violation. */
export const axe = (page: Page): Promise<string[]> => run(page, 'body');

/** What axe finds wrong within the element that the selector names, by all its rules or these. */
async function run(page: Page, within: string, rules?: readonly string[]): Promise<string[]> {
  // Half a megabyte of source: sent and parsed once for each page.
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

/** The rules of axe that look at colors. */
const COLOR_RULES = ['color-contrast', 'link-in-text-block'];

/**
 * What is wrong with a page that is open, light and dark, at both widths: what axe finds, and that it is wider than the
 * window. The themes differ in colors alone (theme.css), and no other rule looks at those. So each theme and each width is
 * held against all rules once, and the two pairs that are left against the rules about colors: in all of the page, or in
 * `part` of it, when what is around it has been seen on another page.
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
    await turn(page, first);
    const all = await axe(page);
    await turn(page, second);
    const colors = await run(page, part, COLOR_RULES);
    found.push(...all.map((complaint) => `${first}, ${width}: ${complaint}`));
    found.push(...colors.map((complaint) => `${second}, ${width}: ${complaint}`));
  }
  return found;
}

/** Turns a page to the other theme as Starlight does, at once: what fades from one color to the other has done so. */
async function turn(page: Page, theme: 'light' | 'dark'): Promise<void> {
  await page.evaluate((theme) => {
    document.documentElement.dataset.theme = theme;
    for (const one of document.getAnimations()) if (one instanceof CSSTransition) one.finish();
  }, theme);
}

/** Whether the page is as wide as the window. A new width takes a moment to arrive everywhere. */
function fits(page: Page): Promise<boolean> {
  const fitting = page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, null, {
    timeout: 5_000,
  });
  return fitting.then(
    () => true,
    () => false,
  );
}

/** The part of a page with this heading, or the dialog with this title. */
export const region = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true });

/**
 * The steps of a guide that count as done, as a screen reader hears it: the number of each from 1. `index` says of which
 * of the page's lists: NATS, Queues, Topics and Events.
 */
export async function stepsDone(page: Page, index = 0): Promise<number[]> {
  const steps = await page.locator('.guide-steps').nth(index).locator('> li').all();
  const done = await Promise.all(steps.map((step) => step.getByText('Done:', { exact: true }).isVisible()));
  return done.flatMap((yes, index) => (yes ? [index + 1] : []));
}
