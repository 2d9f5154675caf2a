/** Helpers to use pages with the keyboard only. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { hasFocus } from './access-key-form.ts';

/** Waits until a button is enabled: it is disabled until its script has loaded, and while a request is in flight. */
export async function isReady(button: Locator): Promise<void> {
  await expect.poll(() => button.isEnabled()).toBe(true);
}

/** Presses Tab, or Shift+Tab, until the target has the focus. Fails if it never gets it. */
export async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await target.waitFor();
  await isReady(target);
  for (let steps = 0; !(await hasFocus(target)); steps++) {
    if (steps > 80) expect.unreachable('the keyboard does not lead there');
    await page.keyboard.press(key);
  }
}

/** Moves the focus to the target with Tab and presses Enter there, or another key. */
export async function pressAt(page: Page, target: Locator, key = 'Enter'): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press(key);
}
