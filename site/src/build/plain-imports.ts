/**
 * Dynamic imports as the browser does them. Vite's own wrapper asks for what a module imports beforehand; most of that is
 * on the page already, and the wrapper with its lists would be a tenth of the script that a page loads at once.
 */
import type { AstroUserConfig } from 'astro';

type Plugin = NonNullable<NonNullable<AstroUserConfig['vite']>['plugins']>[number];

/** Puts a call of the import in the place of Vite's wrapper. */
export function plainImports(): Plugin {
  return {
    name: 'plain-imports',
    enforce: 'pre',
    configEnvironment: () => ({
      build: { modulePreload: { polyfill: false, resolveDependencies: () => [] } },
    }),
    load: (id) =>
      id.endsWith('vite/preload-helper.js') ? 'export const __vitePreload = (load) => load();' : undefined,
  };
}
