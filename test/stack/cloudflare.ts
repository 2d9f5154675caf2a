/**
 * The external actions of a deployment: runs wrangler, on the account that it is signed in to, and builds the site.
 * deployment.ts decides their order.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeploymentActions } from './deployment.ts';
import { runTool } from './project.ts';
import { buildSite } from './site.ts';

/**
 * Returns the actions of a real deployment of a wrangler configuration (absolute path). `say` gets the messages for
 * the operator.
 */
export function onCloudflare(config: string, say: (text: string) => void): DeploymentActions {
  return {
    ask: (args) => runTool('wrangler', args),
    run: (args) => runWrangler(args, say),
    buildSite: ({ assets }) => buildSite(config, assets, () => say('Building the site…')),
    announce() {},
    say,
  };
}

/** Runs wrangler and prints its output. Resolves to the origins that it reports for a deployment. */
async function runWrangler(args: readonly string[], say: (text: string) => void): Promise<string[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'latchkey-deploy-'));
  const report = join(scratch, 'report.jsonl');
  try {
    say(await runTool('wrangler', args, { env: { WRANGLER_OUTPUT_FILE_PATH: report } }));
    return addresses(readFileSync(report, 'utf8'));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Parses the origins in wrangler's report, which has one JSON object on each line. */
function addresses(report: string): string[] {
  const entries = report
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; targets?: string[] });
  const targets = entries.find(({ type }) => type === 'deploy')?.targets ?? [];
  // Besides `https://NAME.workers.dev`, it lists `DOMAIN (custom domain)`, routes and schedules.
  const domains = targets.flatMap((target) => /^(\S+) \(custom domain\b/.exec(target)?.[1] ?? []);
  return [
    ...domains.map((domain) => `https://${domain}`),
    ...targets.filter((target) => /^https:/.test(target)),
  ];
}
