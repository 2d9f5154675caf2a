/** The samples that no test runs: each tab of the client pages is run by a test, or was run by hand as it stands. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { tried } from '../../site/src/samples/tried.ts';
import { codeOf, tabsOf } from '../e2e/pages.ts';

/** The tabs that a test runs: test/e2e/client-pages.test.ts. */
const TESTED = ['Node.js', 'curl'];

const digestOf = (page: string, client: string) => {
  const code = codeOf(`how-to/${page}`, '\\w+', client).join('');
  return createHash('sha256').update(code).digest('hex').slice(0, 12);
};

it.each(['connect-nats', 'connect-queues', 'connect-topics'])('%s shows no tab that nobody ran', (page) => {
  const tabs = tabsOf(`how-to/${page}`);
  expect(tabs).toContain('Node.js');
  const run = tried.filter((sample) => sample.page === page);
  expect(tabs.filter((tab) => !TESTED.includes(tab)).sort()).toEqual(run.map(({ client }) => client).sort());
});

it('terraform shows no tab that nobody ran', () => {
  const run = tried.filter(({ page }) => page === 'terraform');
  expect(tabsOf('how-to/terraform')).toEqual(run.map(({ client }) => client));
});

it.each(tried)('the $client sample of $page is the one that was run by hand', ({ page, client, digest }) => {
  // Whoever changes a sample runs it again, and notes what this then expects.
  expect(digest).toBe(digestOf(page, client));
});
