/**
 * Defines how the scripts of the pages are bundled. Dynamic imports are plain `import()` calls, without Vite's preloading
 * of modules that are mostly on the page already. Write `import('./x.ts').then((code) => code.run())`: if you destructure
 * the module, the bundler adds a wrapper. Modules that pages need together share a bundle, because many small files
 * compress worse and repeat their imports.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AstroUserConfig } from 'astro';

type Plugin = NonNullable<NonNullable<AstroUserConfig['vite']>['plugins']>[number];

/**
 * The modules of each bundle, by their path below site/src. An element's module can be in a bundle: it does nothing on
 * pages without the element.
 */
const BUNDLES: Record<string, readonly string[]> = {
  pages: [
    'api/errors.ts',
    'api/request.ts',
    'api/session.ts',
    'shell/session-menu.ts',
    'ui/dom.ts',
    'ui/panels/notice.ts',
  ],
  lists: [
    'api/api.ts',
    'api/typed-client.ts',
    'guide/code-samples.lazy.ts',
    'ui/load-when-visible.ts',
    'ui/panels/load-for-members.ts',
    'ui/panels/panel.ts',
    'ui/panels/read-pages.ts',
    'ui/time.ts',
    'workspace/list-projects.ts',
    'workspace/region-label.ts',
    'workspace/selection.ts',
  ],
  forms: [
    'credentials/credentials-element.ts',
    'credentials/credentials-panel.ts',
    'credentials/panels.lazy.ts',
    'guide/progress.ts',
    'workspace/load-project.ts',
    'workspace/project-element.ts',
    'workspace/project-region-fields.ts',
  ],
  credentials: ['credentials/access-level.ts', 'credentials/allowed-actions.ts'],
  'event-details': ['console/audit/event-details.ts'],
  organization: ['workspace/load-organization.ts', 'workspace/organization-field.ts'],
  console: ['console/list/list-panel.ts', 'console/list/organization-list.ts'],
  principals: ['console/iam/principals.ts'],
  audit: ['console/audit/console-audit.ts', 'console/audit/audit-rows.ts', 'console/audit/merged-trail.ts'],
  tabs: ['ui/tabs/page-tabs.ts', 'ui/tabs/tabs.ts'],
};

const source = fileURLToPath(new URL('../', import.meta.url));

/** Returns the name of the bundle that a module is in, if any. Throws when a listed module does not exist. */
function bundles(): (id: string) => string | undefined {
  const byFile = new Map(
    Object.entries(BUNDLES).flatMap(([name, paths]) => paths.map((path) => [join(source, path), name])),
  );
  for (const file of byFile.keys()) {
    if (!existsSync(file)) throw new Error(`plain-imports.ts lists ${file}, which does not exist`);
  }
  return (id) => (id.includes('preload-helper.js') ? 'pages' : byFile.get(id.replace(/\?.*$/, '')));
}

/** A minified call of Vite's wrapper: e(()=>import(`./x.js`),[]). */
const WRAPPED_IMPORT = /(?<![\w$])[\w$]+\(\(\)=>(import\([^()]+\)),(?:\[\]|__VITE_PRELOAD__)\)/g;

/** Replaces Vite's wrapper of dynamic imports with a plain call, and bundles the modules above. */
export function plainImports(): Plugin {
  const bundleOf = bundles();
  return {
    name: 'plain-imports',
    enforce: 'pre',
    configEnvironment: (environment) => ({
      build: {
        modulePreload: { polyfill: false, resolveDependencies: () => [] },
        ...(environment === 'client' && {
          rolldownOptions: {
            output: {
              codeSplitting: {
                groups: Object.keys(BUNDLES).map((name) => ({
                  name,
                  test: (id: string) => bundleOf(id) === name,
                })),
              },
            },
          },
        }),
      },
    }),
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const chunk of Object.values(bundle)) {
          if (chunk.type === 'chunk') chunk.code = chunk.code.replace(WRAPPED_IMPORT, '$1');
        }
      },
    },
    load: (id) =>
      id.endsWith('vite/preload-helper.js') ? 'export const __vitePreload = (load) => load();' : undefined,
  };
}
