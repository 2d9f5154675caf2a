/**
 * The command line of `npm run lighthouse`: Lighthouse's scores of the landing page and both guides, on a simulated
 * phone with a slow connection. Prints the scores and what keeps one below 100; it judges nothing. Lighthouse is not
 * a dependency, because it takes 170 MB: npm downloads this version on demand.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { toolEnvironment } from '../stack/project.ts';
import { chromiumPath, type OwnStack, withStack } from './own-stack.ts';

const LIGHTHOUSE = 'lighthouse@13.5.0';
const PAGES = ['/', '/how-to/create-credentials/', '/how-to/manage-credentials/'];

/** The used part of Lighthouse's report. */
interface Report {
  categories: Record<
    string,
    { title: string; score: number | null; auditRefs: { id: string; weight: number }[] }
  >;
  audits: Record<string, { title: string; score: number | null; displayValue?: string }>;
  runtimeError?: { message: string };
}

async function measure({ stack, state }: OwnStack, page: string): Promise<Report> {
  const { stdout } = await promisify(execFile)(
    'npx',
    [
      '--yes',
      LIGHTHOUSE,
      stack.origin + page,
      '--quiet',
      '--output=json',
      '--no-enable-error-reporting',
      '--only-categories=performance,accessibility,best-practices,seo',
      '--chrome-flags=--headless --no-sandbox --disable-gpu --disable-background-networking --disable-sync',
    ],
    { cwd: state, env: toolEnvironment({ CHROME_PATH: chromiumPath }), maxBuffer: 64 * 1024 * 1024 },
  );
  const report = JSON.parse(stdout) as Report;
  if (report.runtimeError) throw new Error(`Lighthouse: ${report.runtimeError.message}`);
  return report;
}

const percent = (score: number | null) => (score === null ? '–' : `${Math.round(score * 100)}`);

function describe(page: string, { categories, audits }: Report): string {
  const all = Object.values(categories);
  const counted = new Set(
    all.flatMap(({ auditRefs }) => auditRefs.filter(({ weight }) => weight > 0).map(({ id }) => id)),
  );
  const short = [...counted].flatMap((id) => {
    const audit = audits[id];
    if (!audit || audit.score === null || audit.score >= 0.995) return [];
    return `    ${percent(audit.score).padStart(3)}  ${audit.title}  ${audit.displayValue ?? ''}`.trimEnd();
  });
  return [page, ...all.map(({ title, score }) => `  ${percent(score).padStart(3)}  ${title}`), ...short].join(
    '\n',
  );
}

await withStack(async (own) => {
  for (const page of PAGES) console.log(describe(page, await measure(own, page)));
});
process.exit(0);
