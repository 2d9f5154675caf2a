/**
 * The command line of `npm run deploy [-- --owner-email ADDRESS] [--organization NAME] [--dry-run]`. Runs
 * deployment.ts on Cloudflare; with `--dry-run`, shows each command and file of a first deployment, with secrets
 * masked, and changes nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { onCloudflare } from './cloudflare.ts';
import { type DeployConfig, readDeployConfig } from './deploy-config.ts';
import { CannotDeploy, type DeploymentActions, deploy } from './deployment.ts';
import { defaultConfig, root, runTool } from './project.ts';
import { buildSite } from './site.ts';
import { Stop } from './tools.mjs';

const folder = join(root, '.deploy');

/** The actions of an empty Cloudflare account, which only print their input. `scratch` replaces {@link folder}. */
function dryRun(config: DeployConfig, scratch: string): DeploymentActions {
  const databases: { name: string; uuid: string }[] = [];
  const show = (text: string) => console.log(text.replaceAll(scratch, folder).replaceAll(`${root}/`, ''));
  const printCommand = (args: readonly string[]) => show(`\n$ wrangler ${args.map(quoted).join(' ')}`);
  return {
    async ask(args) {
      printCommand(args);
      if (args[1] === 'list') return JSON.stringify(args[0] === 'd1' ? databases : []);
      return JSON.stringify([{ results: [] }]);
    },
    async run(args) {
      printCommand(args);
      if (args[1] === 'create') {
        const number = String(databases.length + 1).padStart(12, '0');
        databases.push({ name: args[2] as string, uuid: `00000000-0000-0000-0000-${number}` });
      }
      if (args[0] === 'deploy') console.log(await runTool('wrangler', [...args.slice(0, 3), '--dry-run']));
      return [`https://${config.name}.example.workers.dev`];
    },
    async buildSite({ assets }) {
      show(`\n$ astro build --root site --outDir ${assets}`);
      await buildSite(defaultConfig, assets);
    },
    announce(path, text, secrets) {
      const shown = secrets.reduce((masked, secret) => masked.replaceAll(secret, '<secret>'), text);
      show(`\n# ${path}\n${shown.trimEnd()}`);
    },
    say: (line) => show(`\n${line}`),
  };
}

function quoted(argument: string): string {
  return argument.includes(' ') ? `'${argument}'` : argument;
}

function refuseExamples({ regions }: DeployConfig): void {
  for (const [region, { nats_endpoint, nats_websockets }] of Object.entries(regions)) {
    const example = [nats_endpoint, ...nats_websockets].find((url) =>
      /\.example\.(com|net|org)(:|$)/.test(url),
    );
    if (!example) continue;
    throw new CannotDeploy(
      `wrangler.toml still has ${example} for ${region}. Replace it with the address of your nats-server.`,
    );
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'dry-run': { type: 'boolean', default: false },
      'owner-email': { type: 'string' },
      organization: { type: 'string', default: 'My organization' },
    },
  });
  const config = await readDeployConfig(defaultConfig);
  const settings = { config: defaultConfig, organizationName: values.organization, environment: process.env };
  if (!values['dry-run']) {
    refuseExamples(config);
    await deploy(
      { ...settings, folder, ownerEmail: values['owner-email'] },
      onCloudflare(defaultConfig, (text) => console.log(text)),
    );
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'latchkey-deploy-'));
  try {
    const ownerEmail = values['owner-email'] ?? 'you@example.com';
    await deploy({ ...settings, folder: scratch, ownerEmail }, dryRun(config, scratch));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Stop ? error.message : error);
  process.exitCode = 1;
}
