/** Builds the Worker and the site before the first end-to-end test, unless they are built already. */
import { bundleWorker } from '../stack/bundle.ts';
import { defaultConfig } from '../stack/project.ts';
import { buildSite } from '../stack/site.ts';

export async function setup(): Promise<void> {
  const { assets } = await bundleWorker(defaultConfig);
  await buildSite(defaultConfig, assets, () => console.log('Building the site…'));
}
