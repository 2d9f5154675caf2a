/**
 * How the pages' scripts are cut into files. A dynamic import is the browser's own: Vite's wrapper asks for what a module
 * imports beforehand; most of that is on the page already, and the wrapper with its lists would be a tenth of the script
 * that a page loads at once. And what the pages need together is one file: each file apart compresses worse and repeats
 * its imports.
 */
import type { AstroUserConfig } from 'astro';

type Plugin = NonNullable<NonNullable<AstroUserConfig['vite']>['plugins']>[number];

/** What a page needs together, by the names of the modules in `site/src`: the first that matches has it. */
const FILES = [
  { name: 'every-page', test: /lib\/(answers|markup|problems|session)\.ts|preload-helper\.js/ },
  { name: 'place', test: /lib\/(api|client|open-place|place|place-fields)\.ts|components\/part\.ts/ },
];

/** Puts a call of the import in the place of Vite's wrapper, and joins small files. */
export function plainImports(): Plugin {
  return {
    name: 'plain-imports',
    enforce: 'pre',
    configEnvironment: (environment) => ({
      build: {
        modulePreload: { polyfill: false, resolveDependencies: () => [] },
        ...(environment === 'client' && {
          rolldownOptions: { output: { codeSplitting: { groups: FILES } } },
        }),
      },
    }),
    load: (id) =>
      id.endsWith('vite/preload-helper.js') ? 'export const __vitePreload = (load) => load();' : undefined,
  };
}
