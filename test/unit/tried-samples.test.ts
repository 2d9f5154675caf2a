/**
 * Code samples that no test runs: each tab of the client pages is run by a test or was run by hand, unchanged since.
 */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { tried } from '../../site/src/samples/tried.ts';
import { codeOf, tabsOf } from '../e2e/pages.ts';

/** The tabs that test/e2e/client-pages.test.ts runs. */
const TESTED = ['Node.js', 'curl'];

const digestOf = (page: string, client: string) => {
  const code = codeOf(`how-to/${page}`, '\\w+', client).join('');
  return createHash('sha256').update(code).digest('hex').slice(0, 12);
};

it.each(['connect-nats', 'own-key', 'connect-queues', 'connect-topics'])(
  '%s shows only tabs that a test runs or that were run by hand',
  (page) => {
    const tabs = tabsOf(`how-to/${page}`);
    expect(tabs).toContain('Node.js');
    const run = tried.filter((sample) => sample.page === page);
    expect(tabs.filter((tab) => !TESTED.includes(tab)).sort()).toEqual(
      run.map(({ client }) => client).sort(),
    );
  },
);

it('terraform shows only tabs that a test runs or that were run by hand', () => {
  const run = tried.filter(({ page }) => page === 'terraform');
  expect(tabsOf('how-to/terraform')).toEqual(run.map(({ client }) => client));
});

it.each(tried)(
  'the $client sample of $page is unchanged since it was run by hand',
  ({ page, client, digest }) => {
    // After you change a sample, run it again and record the digest that this test then expects.
    expect(digest).toBe(digestOf(page, client));
  },
);
