/** Builds the Worker and the site before the first e2e test, unless the builds are up to date. */
import { bundleWorker } from '../stack/bundle.ts';
import { defaultConfig } from '../stack/project.ts';
import { buildSite } from '../stack/site.ts';

export async function setup(): Promise<void> {
  const { assets } = await bundleWorker(defaultConfig);
  await buildSite(defaultConfig, assets, () => console.log('Building the site…'));
}
