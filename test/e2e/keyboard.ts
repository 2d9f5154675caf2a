/** Pages worked by the keyboard alone. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { hasFocus } from './keyed-form.ts';

/** Waits until a button can be used: before its script is there, or while something is on its way, it cannot. */
export async function isReady(button: Locator): Promise<void> {
  await expect.poll(() => button.isEnabled()).toBe(true);
}

/** Presses Tab, or Shift+Tab, until the focus is at the target. Fails when that leads nowhere. */
export async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await target.waitFor();
  await isReady(target);
  for (let steps = 0; !(await hasFocus(target)); steps++) {
    if (steps > 80) expect.unreachable('the keyboard does not lead there');
    await page.keyboard.press(key);
  }
}

/** Goes to the target by Tab and presses Enter there, or another key. */
export async function pressAt(page: Page, target: Locator, key = 'Enter'): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press(key);
}
