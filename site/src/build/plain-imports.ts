/**
 * How the pages' scripts are cut into files. A dynamic import is the browser's own: Vite's wrapper asks for what a module
 * imports beforehand; most of that is on the page already, and the wrapper with its lists would be a tenth of the script
 * that a page loads at once. And what the pages need together is one file: each file apart compresses worse and repeats
 * its imports.
 */
import type { AstroUserConfig } from 'astro';

type Plugin = NonNullable<NonNullable<AstroUserConfig['vite']>['plugins']>[number];

/**
 * The files that are joined: what most pages need, what those with a list of the API's do, what guides load more with as
 * the reader comes near, and so on. A script that runs by itself may be among them: it does nothing on a page without its
 * element.
 */
const FILES = [
  {
    name: 'pages',
    test: /lib\/(answers|markup|notice|problems|session)\.ts|components\/session-menu\.ts|preload-helper\.js/,
  },
  {
    name: 'lists',
    test: /lib\/(api|client|on-sight|open-place|place|place-fields|projects-of|rows)\.ts|components\/part\.ts/,
  },
  {
    name: 'guides',
    test: /components\/(credentials-list|parts-on-sight)\.ts/,
  },
  { name: 'organization', test: /lib\/open-organization\.ts|components\/console\/organization-field\.ts/ },
  { name: 'console', test: /components\/console\/(organization-list|resource-list)\.ts/ },
  { name: 'parties', test: /lib\/(parties|party-options)\.ts/ },
  { name: 'audit', test: /lib\/audit-trail\.ts|components\/console\/(audit|audit-rows)\.ts/ },
  { name: 'tabs', test: /lib\/tabs\.ts|components\/page-tabs\.ts/ },
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
