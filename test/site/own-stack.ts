/** A fresh stack for a script that visits the pages, with the current pages; deleted afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { bundleWorker } from '../stack/bundle.ts';
import { defaultConfig } from '../stack/project.ts';
import { buildSite } from '../stack/site.ts';
import { type Stack, startStack } from '../stack/stack.ts';

/** The Chromium that bootstrap.mjs found. */
export const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** The resources of such a script. */
export interface OwnStack {
  stack: Stack;
  owner: Owner;
  /** A folder of the stack, deleted with it. */
  state: string;
}

/** Builds the site if it has changed, starts a stack, and stops it after the work is done or has failed. */
export async function withStack(work: (own: OwnStack) => Promise<void>): Promise<void> {
  const { assets } = await bundleWorker(defaultConfig);
  await buildSite(defaultConfig, assets, () => console.error('Building the site…'));
  const state = mkdtempSync(join(tmpdir(), 'latchkey-site-'));
  let stack: Stack | undefined;
  try {
    stack = await startStack({ state, port: 0 });
    if (!stack.owner) throw new Error('a new state folder has no Owner');
    await work({ stack, owner: stack.owner, state });
  } finally {
    await stack?.stop();
    rmSync(state, { recursive: true, force: true });
  }
}
