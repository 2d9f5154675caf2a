/**
 * Deactivating Queues, or Topics and Events, in the guides' forms: the warning before, and the result at the API and
 * for the keys.
 */

import { CreateTopicCommand, ListTopicsCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ListQueuesCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { activate, hasFocus, listed, open, PRODUCTS, panel, row, status } from './access-key-form.ts';
import { axe, stepsDone, useBrowser } from './browser.ts';
import {
  ALL,
  activate as activateByApi,
  deactivate,
  newCredentials,
  newProject,
  outcome,
  snsClient,
  sqsClient,
} from './gateway-clients.ts';
import { useStack } from './local-stack.ts';

const local = useStack();
const browser = useBrowser(local);
const REGION = 'nl-ams';

describe.each(PRODUCTS.map((product) => [product.label, product] as const))(
  'deactivation of %s',
  (label, product) => {
    const title = `Deactivate ${label}?`;

    it('shows a warning, revokes all credentials, and offers activation again', async () => {
      const projectId = await newProject(local);
      await activateByApi(local, REGION, projectId, [product.id]);
      const keys = await newCredentials(local, product.id, ALL, { region: REGION, projectId });
      const sqs = sqsClient(local, keys);
      const sns = snsClient(local, keys);
      const list = () =>
        product.id === 'sqs' ? sqs.send(new ListQueuesCommand({})) : sns.send(new ListTopicsCommand({}));
      if (product.id === 'sqs') await sqs.send(new CreateQueueCommand({ QueueName: 'orders' }));
      else await sns.send(new CreateTopicCommand({ Name: 'orders' }));

      const page = await open(browser, 'manage', product, REGION, projectId);
      await row(page, product, keys.access_key).waitFor();
      const button = panel(page, product).getByRole('button', { name: `Deactivate ${label}` });
      await button.click();
      const alert = page.getByRole('alertdialog', { name: title });
      expect(await hasFocus(alert.getByRole('button', { name: 'Cancel' }))).toBe(true);
      for (const text of ['Amsterdam', 'This is irreversible.', `All credentials for ${label}`])
        await alert.getByText(text).waitFor();
      await alert
        .getByText(product.id === 'sqs' ? 'Its queues are deleted' : 'Its topics are deleted')
        .waitFor();
      expect(await axe(page)).toEqual([]);
      await page.keyboard.press('Enter');
      await alert.waitFor({ state: 'hidden' });
      expect(await outcome(list())).toBe('ok');
      await expect.poll(() => hasFocus(button)).toBe(true);

      await button.click();
      await alert.getByRole('button', { name: `Deactivate ${label}` }).click();
      await status(page, product).getByText(`${label} is no longer active in Amsterdam`).waitFor();
      expect(await outcome(list())).toBe('InvalidClientTokenId');
      expect(await listed(local, product, REGION, projectId)).toEqual([]);
      expect(
        await panel(page, product).getByRole('button', { name: 'Generate credentials' }).isDisabled(),
      ).toBe(true);
      expect(await button.isVisible()).toBe(false);
      expect(await stepsDone(page, product.list)).toEqual([1]);
      await activate(page, product);
      await panel(page, product).getByText('There are no credentials').waitFor();
      expect(await button.isVisible()).toBe(true);
    });

    it('reports a concurrent deactivation by another person (race)', async () => {
      const projectId = await newProject(local);
      await activateByApi(local, REGION, projectId, [product.id]);
      const page = await open(browser, 'manage', product, REGION, projectId);
      await panel(page, product)
        .getByRole('button', { name: `Deactivate ${label}` })
        .click();
      await deactivate(local, REGION, projectId, product.id);
      await page
        .getByRole('alertdialog', { name: title })
        .getByRole('button', { name: 'Deactivate' })
        .click();
      await status(page, product).getByText('was already deactivated in Amsterdam').waitFor();
      expect(browser.complaints.splice(0)).toEqual([expect.stringContaining('404')]);
    });
  },
);
