/** Pages worked by the keyboard alone. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { hasFocus } from './keyed-form.ts';

/** Presses Tab until the focus is at the target. Fails when that leads nowhere. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let steps = 0; !(await hasFocus(target)); steps++) {
    if (steps > 80) expect.unreachable('the keyboard does not lead there');
    await page.keyboard.press('Tab');
  }
}

/** Goes to the target by Tab and presses Enter there, or another key. */
export async function pressAt(page: Page, target: Locator, key = 'Enter'): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press(key);
}
