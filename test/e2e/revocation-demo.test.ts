/**
 * "Revoke and watch it fail" and "Test these credentials" in a real browser, against the real gateway and a real
 * nats-server: the page creates and uses credentials, revokes them, sees them denied, and always cleans up.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { root } from '../stack/project.ts';
import { signal } from '../stack/signal.ts';
import { listed, open, PRODUCTS, panel, row } from './access-key-form.ts';
import { axe, region, useBrowser } from './browser.ts';
import { activate, type Credentials, newProject, revoke } from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';
import { newAccount, revoke as revokeNats } from './nats-client.ts';

const REGION = 'fr-par';
/** A region whose servers have no WebSocket for pages. */
const WITHOUT_WEBSOCKET = 'nl-ams';

const local = useStack({
  vars: (own) => ({
    REGIONS: {
      ...own.REGIONS,
      [WITHOUT_WEBSOCKET]: { ...own.REGIONS[WITHOUT_WEBSOCKET], nats_websockets: [] },
    },
  }),
});
const browser = useBrowser(local);

const demo = (page: Page, label: string) => region(page, `Revoke and watch it fail: ${label}`);
/** Clicks a button of the demo, whose script loads when it is scrolled into view. */
async function press(page: Page, label: string, name: string): Promise<void> {
  const button = demo(page, label).getByRole('button', { name, exact: true });
  await button.scrollIntoViewIfNeeded();
  await button.click();
}
const waitForStatus = (page: Page, label: string, text: string | RegExp) =>
  demo(page, label).locator('.status').getByText(text).waitFor();
const logEntries = (page: Page, label: string) => demo(page, label).getByRole('log').getByRole('listitem');

/** Waits until two log entries match. */
async function waitForEntries(page: Page, label: string, text: RegExp): Promise<void> {
  await logEntries(page, label).filter({ hasText: text }).nth(1).waitFor();
}

/** Resolves to the contents of the page's storage and cookies. */
const stored = (page: Page) =>
  page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));

describe.each(PRODUCTS.map((product) => [product.label, product] as const))(
  'the revocation demo of %s',
  (label, product) => {
    async function start(): Promise<{ page: Page; project: string }> {
      const project = await newProject(local);
      await activate(local, REGION, project, [product.id]);
      const page = await open(browser, 'manage', product, REGION, project);
      await press(page, label, 'Start');
      await waitForEntries(page, label, /List(Queues|Topics)Accepted, \d+ ms/);
      return { page, project };
    }

    it('creates its own keys, and the first request after the revocation is denied', async () => {
      const { page, project } = await start();
      expect(await listed(local, product, REGION, project)).toMatchObject([{ name: 'Watch me fail' }]);
      await demo(page, label).getByText(`${label} in Paris`).waitFor();
      // The message for a failed revocation refers to this list.
      await row(page, product, 'Watch me fail').waitFor();
      expect(await axe(page)).toEqual([]);
      await press(page, label, 'Revoke now');
      await waitForStatus(
        page,
        label,
        /^Denied on the next request, \d+ ms after the response to the revocation\.$/,
      );
      expect(await logEntries(page, label).last().innerText()).toContain('Denied: InvalidClientTokenId');
      expect(await listed(local, product, REGION, project)).toEqual([]);
      expect(await stored(page)).not.toMatch(/latchkey_|LKEY/);
      expect(await axe(page)).toEqual([]);
      // The browser logs the one denied request.
      expect(browser.complaints.splice(0)).toEqual([expect.stringContaining('403')]);
      await press(page, label, 'Start');
      await waitForEntries(page, label, /Accepted/);
    });

    it('revokes its keys on Stop, and when the reader leaves the page', async () => {
      const { page, project } = await start();
      await press(page, label, 'Stop');
      await waitForStatus(page, label, 'Stopped. The credentials are revoked.');
      expect(await listed(local, product, REGION, project)).toEqual([]);
      await press(page, label, 'Start');
      await waitForEntries(page, label, /Accepted/);
      expect(await listed(local, product, REGION, project)).toHaveLength(1);
      await page.goto('/concepts/');
      await expect.poll(() => listed(local, product, REGION, project)).toEqual([]);
    });

    it('names its keys when the revocation fails, and keeps running', async () => {
      const { page, project } = await start();
      const isRevocation = (url: URL) => url.pathname.includes(`/${product.id}-credentials/`);
      await page.route(isRevocation, (route) => route.abort());
      for (const name of ['Stop', 'Revoke now']) {
        await press(page, label, name);
        await waitForStatus(page, label, /did not respond.* “Watch me fail” is not revoked yet/);
      }
      expect(await listed(local, product, REGION, project)).toHaveLength(1);
      for (const complaint of browser.complaints.splice(0)) expect(complaint).toContain('ERR_FAILED');
      await page.unroute(isRevocation);
      await waitForEntries(page, label, /Accepted/);
      await press(page, label, 'Stop');
      await waitForStatus(page, label, 'Stopped.');
      expect(await listed(local, product, REGION, project)).toEqual([]);
    });

    it('creates one set of keys, also when the first response is lost and the page retries', async () => {
      const project = await newProject(local);
      await activate(local, REGION, project, [product.id]);
      const page = await open(browser, 'manage', product, REGION, project);
      const isCreation = (url: URL) => url.pathname.endsWith(`/${product.id}-credentials`);
      let responses = 0;
      await page.route(isCreation, async (route) => {
        if (route.request().method() !== 'POST') return route.fallback();
        const response = await route.fetch();
        await (responses++ === 0 ? route.abort() : route.fulfill({ response }));
      });
      await press(page, label, 'Start');
      await waitForEntries(page, label, /Accepted/);
      expect(responses).toBe(2);
      expect(await listed(local, product, REGION, project)).toHaveLength(1);
      for (const complaint of browser.complaints.splice(0)) expect(complaint).toContain('ERR_FAILED');
    });

    it('ends when its keys are revoked elsewhere', async () => {
      const { page, project } = await start();
      const [keys] = await listed(local, product, REGION, project);
      await revoke(local, product.id, keys as Credentials);
      await waitForStatus(page, label, 'revoked, though not by this panel');
      await demo(page, label).getByRole('button', { name: 'Start' }).waitFor();
      expect(browser.complaints.splice(0).join()).toMatch(/403.*404/);
    });

    it('reports an inactive product, and shows visitors a sign-in link', async () => {
      const page = await open(browser, 'manage', product, REGION, await newProject(local));
      await press(page, label, 'Start');
      await waitForStatus(page, label, `${label} is not active in Paris`);
      const stranger = await browser.open('/how-to/manage-credentials/', { stranger: true });
      await press(stranger, label, 'Start');
      await demo(stranger, label).getByRole('link', { name: 'Sign in' }).click();
      await stranger.waitForURL(/\/sign-in\/\?return=.*-live$/);
      await panel(page, product).getByRole('button', { name: 'Activate' }).waitFor();
    });
  },
);

it('each panel is marked busy while it starts, also when another panel has already loaded the script', async () => {
  const project = await newProject(local);
  const [queues, topics] = PRODUCTS;
  const page = await open(browser, 'manage', queues, REGION, project);
  await press(page, queues.label, 'Start');
  await waitForStatus(page, queues.label, 'is not active in Paris');
  const released = Promise.withResolvers<void>();
  await page.route('**/sns-info*', async (route) => {
    await released.promise;
    await route.continue();
  });
  const requested = page.waitForRequest('**/sns-info*');
  await press(page, topics.label, 'Start');
  await requested;
  const button = demo(page, topics.label).getByRole('button', { name: 'Start' });
  expect(await button.getAttribute('aria-busy')).toBe('true');
  released.resolve();
  await waitForStatus(page, topics.label, 'is not active in Paris');
  expect(await button.getAttribute('aria-busy')).toBe('false');
});

const LABEL = 'NATS';

async function idsOf(account: string): Promise<string[]> {
  const path = `/mnq/v1beta1/regions/${REGION}/nats-credentials?nats_account_id=${account}`;
  return (await api<{ nats_credentials: { id: string }[] }>(local, 'GET', path)).nats_credentials.map(
    ({ id }) => id,
  );
}

async function openAt(guide: string, at: string, account: string): Promise<Page> {
  const page = await browser.open(`/how-to/${guide}-credentials/?region=${at}&account=${account}`);
  await page.locator(`input[value="${account}"]:checked`).waitFor();
  return page;
}

describe('the revocation demo of NATS', () => {
  async function start(): Promise<{ page: Page; account: string }> {
    const account = await newAccount(local, REGION);
    const page = await openAt('manage', REGION, account);
    await press(page, LABEL, 'Start');
    await waitForEntries(page, LABEL, /Message \d+Received, \d+ ms/);
    return { page, account };
  }

  it('keeps a connection open, which the revocation closes, and reconnecting is denied', async () => {
    const { page, account } = await start();
    expect(await idsOf(account)).toHaveLength(1);
    await press(page, LABEL, 'Revoke now');
    await waitForStatus(
      page,
      LABEL,
      /^The open connection was cut \d+ ms after the revocation was sent, .+\. Connecting again is denied\. 1 connection cut, 1 of 1 server, \d+ ms\.$/,
    );
    await logEntries(page, LABEL)
      .filter({ hasText: /ConnectionCut by the server, \d+ ms/ })
      .waitFor();
    expect(await logEntries(page, LABEL).last().innerText()).toContain('Denied: Authorization Violation');
    expect(await idsOf(account)).toEqual([]);
    expect(await axe(page)).toEqual([]);
    expect(await stored(page)).not.toContain('eyJ');
  });

  it('revokes its credentials on Stop, and when the reader leaves the page', async () => {
    const { page, account } = await start();
    await press(page, LABEL, 'Stop');
    await waitForStatus(page, LABEL, 'Stopped. The credentials are revoked.');
    expect(await idsOf(account)).toEqual([]);
    await press(page, LABEL, 'Start');
    await waitForEntries(page, LABEL, /Received/);
    await page.goto('/concepts/');
    await expect.poll(() => idsOf(account)).toEqual([]);
  });

  it('reports an open connection while the server has not received the revocation', async () => {
    const { page } = await start();
    const pid = local.stack.nats.get(REGION)?.pid();
    signal(pid, 'SIGSTOP');
    try {
      await press(page, LABEL, 'Revoke now');
      await demo(page, LABEL)
        .getByRole('status')
        .getByText(
          'The connection is still open: its server has not received the revocation yet. No server confirmed',
        )
        .waitFor();
      await page.close();
    } finally {
      signal(pid, 'SIGCONT');
    }
    // The Worker logs that it could not reach a server, as expected.
    local.logged.splice(0);
  });

  it('ends when its credentials are revoked elsewhere', async () => {
    const { page, account } = await start();
    const [id = ''] = await idsOf(account);
    await revokeNats(local, { region: REGION, id, account, content: '' });
    await waitForStatus(page, LABEL, 'revoked, though not by this panel');
    expect(browser.complaints.splice(0)).toEqual([expect.stringContaining('404')]);
  });

  it('reconnects after a server restart', async () => {
    const { page } = await start();
    const server = local.stack.nats.get(REGION);
    await server?.stop();
    await server?.start();
    await logEntries(page, LABEL).filter({ hasText: 'Connect againAccepted' }).waitFor();
    await logEntries(page, LABEL).filter({ hasText: 'Received' }).last().waitFor();
    await press(page, LABEL, 'Revoke now');
    await waitForStatus(page, LABEL, /^The open connection was cut .+ Connecting again is denied\./);
    // During the restart the page could not connect, and the Worker might not have reached a server.
    for (const complaint of browser.complaints.splice(0)) expect(complaint).toMatch(/^WebSocket connection/);
    local.logged.splice(0);
  });

  it('reports a missing WebSocket, and a missing account', async () => {
    const account = await newAccount(local, WITHOUT_WEBSOCKET);
    const page = await openAt('manage', WITHOUT_WEBSOCKET, account);
    await press(page, LABEL, 'Start');
    await waitForStatus(page, LABEL, 'have no WebSocket');
    const project = await newProject(local);
    const empty = await browser.open(`/how-to/manage-credentials/?region=${REGION}&project=${project}`);
    await region(empty, 'NATS accounts').getByText('has no NATS account').waitFor();
    await press(empty, LABEL, 'Start');
    await waitForStatus(empty, LABEL, 'Choose a NATS account first');
  });
});

describe('testing NATS credentials', () => {
  const secret = (page: Page) => page.getByRole('dialog', { name: 'Save your credentials' });
  const test = (page: Page) => secret(page).getByRole('button', { name: 'Test these credentials' }).click();
  const waitForResult = (page: Page, text: string | RegExp) =>
    secret(page).locator('.status').getByText(text).waitFor();

  async function generate(at: string): Promise<{ page: Page; account: string }> {
    const account = await newAccount(local, at);
    const page = await openAt('create', at, account);
    const scripts: string[] = [];
    page.on('request', (request) => request.url().includes('test-connection') && scripts.push(request.url()));
    await region(page, 'Credentials').getByRole('button', { name: 'Generate credentials' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('orders');
    await page.keyboard.press('Enter');
    await secret(page).waitFor();
    expect(scripts).toEqual([]);
    return { page, account };
  }

  it('connects from the page, publishes and receives, and is denied after the revocation', async () => {
    const { page, account } = await generate(REGION);
    await test(page);
    await waitForResult(
      page,
      /^Connected to NATS in Paris, published a message and received it: “it works”\. It took \d+ ms\.$/,
    );
    expect(await axe(page)).toEqual([]);
    const [id = ''] = await idsOf(account);
    const path = `/mnq/v1beta1/regions/${REGION}/nats-credentials/${id}`;
    await expect
      .poll(async () => (await api<{ last_used_at: string | null }>(local, 'GET', path)).last_used_at)
      .not.toBeNull();
    await revokeNats(local, { region: REGION, id, account, content: '' });
    await test(page);
    await waitForResult(page, 'Refused by NATS in Paris.');
    expect(await stored(page)).not.toContain('eyJ');
  });

  it('reports servers without a WebSocket', async () => {
    const { page } = await generate(WITHOUT_WEBSOCKET);
    await test(page);
    await waitForResult(page, 'have no WebSocket');
  });
});

describe('the WebSockets', () => {
  it('that pages can open are only those of the regions, which the local stack replaces with its own', async () => {
    const page = await browser.open('/how-to/manage-credentials/');
    const response = await page.request.get('/how-to/manage-credentials/');
    const policy = response.headers()['content-security-policy'] ?? '';
    const websocket = local.stack.nats.get(REGION)?.websocketUrl;
    expect(policy).toContain(`connect-src 'self' ${websocket};`);
    await page.evaluate(() => new WebSocket('ws://127.0.0.1:9').close());
    // The page's violation event, and the browser's log line about it.
    await expect.poll(() => browser.complaints.length).toBe(2);
    for (const complaint of browser.complaints.splice(0))
      expect(complaint).toMatch(/connect-src|ws:\/\/127\.0\.0\.1:9/);
    const built = readFileSync(join(root, 'site/dist/_headers'), 'utf8');
    expect(built).toMatch(/connect-src 'self'( wss:\/\/[\w.-]+:\d+)+;/);
  });

  it('refuse a page of another origin', async () => {
    const { host, port } = new URL(local.stack.nats.get(REGION)?.websocketUrl ?? '');
    const upgrade = (origin: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = {
          Host: host,
          Origin: origin,
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': Buffer.alloc(16, 1).toString('base64'),
        };
        const sent = request({ host: '127.0.0.1', port, headers });
        sent.on('response', (response) => resolve(response.resume().statusCode));
        sent.on('upgrade', (response, socket) => {
          socket.destroy();
          resolve(response.statusCode);
        });
        sent.on('error', reject);
        sent.end();
      });
    expect(await upgrade(local.stack.origin)).toBe(101);
    expect(await upgrade('http://evil.example')).toBe(403);
  });
});
