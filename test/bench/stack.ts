/** The local stack for benchmarks: the site is built, and Queues is active in the Owner's project in every region. */
import { bundleWorker } from '../stack/bundle.ts';
import { defaultConfig } from '../stack/project.ts';
import { buildSite } from '../stack/site.ts';
import { type Stack, type StackSettings, startStack } from '../stack/stack.ts';
import { request } from './client.ts';

/** Starts one on an empty or missing folder, an absolute path. */
export async function startFresh(state: string, settings: Partial<StackSettings> = {}): Promise<Stack> {
  const { assets } = await bundleWorker(defaultConfig);
  await buildSite(defaultConfig, assets);
  const stack = await startStack({ state, port: 0, ...settings });
  for (const region of stack.engines.keys())
    await request(stack, region, 'POST', '/activate-sqs', { project_id: stack.owner?.project_id });
  return stack;
}
