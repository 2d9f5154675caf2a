/** The frame of each page: dates, further reading, and a link to suggest an edit if the operator configures one. */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultConfig, root, runTool } from '../stack/project.ts';
import { sourceOf } from './pages.ts';

let folder: string;
const built = (file: string) => readFileSync(join(folder, file), 'utf8');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-site-'));
  const config = join(root, `.furniture-${process.pid}.toml`);
  const site =
    '[vars.SITE]\nurl = "https://latchkey.example.com"\nedit_url = "https://git.example.com/site/"\n';
  writeFileSync(config, `${readFileSync(defaultConfig, 'utf8')}\n${site}`);
  try {
    await runTool('astro', ['build', '--outDir', folder], {
      cwd: join(root, 'site'),
      env: { LATCHKEY_CONFIG: config },
    });
  } finally {
    rmSync(config);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

it('a page shows its publication and review dates, and further reading', () => {
  const html = built('operate/queue-engine/index.html');
  expect(html).toMatch(/Reviewed on\s*<time datetime="\d{4}-\d\d-\d\d"/);
  expect(html).toMatch(/Published on\s*<time datetime="\d{4}-\d\d-\d\d"/);
  expect(html).toMatch(/<h2 id="see-also"[\s\S]*?href="\/operate\/settings\/"/);
});

it('a page links to its source only if the operator configures the repository', () => {
  const SUGGESTION =
    /<a href="https:\/\/git\.example\.com\/site\/src\/content\/docs\/([^"]+)"[^>]*>Suggest an edit/;
  expect(SUGGESTION.exec(built('operate/queue-engine/index.html'))?.[1]).toBe('operate/queue-engine.mdx');
  expect(sourceOf('operate/queue-engine')).not.toBe('');
  const unset = readFileSync(join(root, 'site/dist/operate/queue-engine/index.html'), 'utf8');
  expect(unset).not.toContain('Suggest an edit');
});

it('robots.txt names the sitemap and excludes pages about the signed-in user', () => {
  expect(built('robots.txt')).toBe(
    'User-agent: *\nAllow: /\nSitemap: https://latchkey.example.com/sitemap-index.xml\n',
  );
  expect(built('sitemap-index.xml')).toContain('sitemap-0.xml');
  const rules = built('_headers').split(/\n(?=\S)/);
  const left = rules
    .filter((rule) => rule.includes('X-Robots-Tag: noindex'))
    .map((rule) => rule.split('\n')[0]);
  expect(left).toEqual(['/account/*', '/console/*', '/invitation/*', '/reset-password/*', '/sign-in/*']);
  for (const path of left) {
    expect([path, globSync(`${path?.slice(1)}*/index.html`, { cwd: folder }).length > 0]).toEqual([
      path,
      true,
    ]);
  }
});

it('every page has security headers that require TLS and disable device access', () => {
  const [all = ''] = built('_headers').split(/\n(?=\S)/);
  expect(all).toContain('/*\n');
  expect(all).toContain('Strict-Transport-Security: max-age=31536000');
  expect(all).toMatch(/Permissions-Policy: .*camera=\(\)/);
});

it('the sitemap contains every page', () => {
  const listed = [...built('sitemap-0.xml').matchAll(/<loc>https:\/\/latchkey\.example\.com([^<]*)</g)];
  const pages = globSync('**/index.html', { cwd: folder }).map(
    (file) => `/${file.replace('index.html', '')}`,
  );
  expect(listed.map(([, path]) => path).sort()).toEqual(pages.sort());
});
