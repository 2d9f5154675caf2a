/**
 * Configures the build of the site. Its data comes from the deployment's configuration (regions) and the Worker's routes
 * (API reference).
 */
import starlight from '@astrojs/starlight';
import { defineConfig, fontProviders } from 'astro/config';
import { apiSections } from './src/build/api.ts';
import { pageHeaders } from './src/build/headers.ts';
import { grantedBy } from './src/build/permission-sets.ts';
import { plainImports } from './src/build/plain-imports.ts';
import { readRateLimits } from './src/build/rate-limits.ts';
import { readRegions } from './src/build/regions.ts';
import { readSiteSettings } from './src/build/site-settings.ts';
import { readStorage } from './src/build/storage.ts';
import { markdownTwins } from './src/build/twins.ts';

const config = process.env.LATCHKEY_CONFIG ?? new URL('../wrangler.toml', import.meta.url);
const regions = readRegions(config);
const { url, edit_url: editUrl } = readSiteSettings(config);

// Imported here, in Node. Imported in pages, the build would bundle the whole Worker.
const api = apiSections(regions.map(({ name }) => name));

const face = (file: string, weight: string) => ({
  provider: fontProviders.local(),
  options: {
    variants: [{ src: [`./src/assets/fonts/${file}`], weight, style: 'normal' }] as [LocalVariant],
  },
});
type LocalVariant = { src: [string]; weight: string; style: 'normal' };

export default defineConfig({
  ...(url && { site: url }),
  trailingSlash: 'always',
  devToolbar: { enabled: false },
  // Outside the site's folder, because a change in that folder causes a new build.
  cacheDir: '../node_modules/.cache/site',
  fonts: [
    { name: 'Schibsted Grotesk', cssVariable: '--font-text', ...face('schibsted-grotesk.woff2', '400 900') },
    {
      name: 'Red Hat Mono',
      cssVariable: '--font-code',
      fallbacks: ['monospace'],
      ...face('red-hat-mono.woff2', '300 700'),
    },
  ],
  vite: {
    cacheDir: '../node_modules/.cache/site/vite',
    define: {
      REGIONS: JSON.stringify(regions.map(({ name, label }) => ({ name, label }))),
      API: JSON.stringify(api),
      STORAGE: JSON.stringify(readStorage(config)),
      RATE_LIMITS: JSON.stringify(readRateLimits(config)),
      GRANTED_BY: JSON.stringify(grantedBy()),
    },
    // Scripts stay files, which browsers cache and which need no hash in the Content-Security-Policy. Small style sheets
    // are inlined, because a page shows nothing before they have loaded.
    build: { assetsInlineLimit: (file, content) => file.endsWith('.css') && content.length < 4096 },
    plugins: [plainImports()],
  },
  integrations: [
    starlight({
      title: 'Latchkey',
      description: 'Self-service credentials for NATS, Queues, and Topics and Events.',
      favicon: '/favicon.svg',
      customCss: ['theme', 'content', 'controls', 'lists', 'print'].map((name) => `./src/styles/${name}.css`),
      components: {
        Footer: './src/overrides/footer.astro',
        Head: './src/overrides/head.astro',
        Header: './src/overrides/header.astro',
        Hero: './src/overrides/hero.astro',
        PageTitle: './src/overrides/page-title.astro',
        Sidebar: './src/overrides/sidebar.astro',
      },
      expressiveCode: {
        themes: ['github-dark-default', 'github-light-default'],
        defaultProps: { frame: 'none', wrap: true, hangingIndent: 2 },
        styleOverrides: {
          borderColor: 'var(--sl-color-hairline)',
          borderRadius: '10px',
          codeBackground: 'var(--surface-sunken)',
          codeFontSize: '0.8125rem',
          codeLineHeight: '1.7',
        },
      },
      ...(editUrl && { editLink: { baseUrl: editUrl } }),
      pagination: true,
      routeMiddleware: './src/build/console-route.ts',
      sidebar: [
        { label: 'Start here', items: ['get-started'] },
        {
          label: 'How-to guides',
          items: [
            'how-to/create-credentials',
            'how-to/manage-credentials',
            'how-to/connect-nats',
            'how-to/own-key',
            'how-to/connect-queues',
            'how-to/connect-topics',
            'how-to/rotate-credentials',
            'how-to/leaked-credentials',
            'how-to/invite-member',
            'how-to/program-key',
            'how-to/credentials-from-programs',
            'how-to/terraform',
          ],
        },
        { label: 'Understand', items: ['concepts', 'security'] },
        {
          label: 'Reference',
          items: [
            'reference/permissions',
            'reference/permission-sets',
            'reference/errors',
            'reference/limits',
            'reference/audit-trail',
            'reference/usage',
            'reference/compatibility',
            'reference/performance',
          ],
        },
        {
          label: 'API',
          collapsed: true,
          items: [
            'reference/api',
            ...api.map(({ slug, label }) => ({ label, link: `/reference/api/${slug}/` })),
          ],
        },
        {
          label: 'Run it yourself',
          items: [
            'deploy',
            'operate/nats-servers',
            'operate/queue-engine',
            'operate/settings',
            'operate/key-rotation',
            'operate/backup',
          ],
        },
        { label: 'Decisions', collapsed: true, items: [{ autogenerate: { directory: 'decisions' } }] },
      ],
    }),
    markdownTwins(),
    pageHeaders(
      regions.flatMap((region) => region.websockets),
      url,
    ),
  ],
});
