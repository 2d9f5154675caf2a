/**
 * The command line of `npm start`: builds what is missing, starts the stack, says where it is and how to sign in, and
 * ends all of it on Ctrl-C. It prints no secret.
 *
 * `PORT` is the origin's port (8787), `LATCHKEY_STATE` the folder of all state (`.latchkey`), `LATCHKEY_CONFIG` the
 * wrangler configuration (`wrangler.toml`); paths are relative to the project's folder.
 */
import { rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { bundleWorker } from './bundle.ts';
import { PortTaken } from './ports.ts';
import { defaultConfig, privateFolder, root } from './project.ts';
import { onSchedule } from './schedule.ts';
import { buildSite } from './site.ts';
import { type Stack, startStack } from './stack.ts';

const config = resolve(root, process.env.LATCHKEY_CONFIG || defaultConfig);
const state = resolve(root, process.env.LATCHKEY_STATE || '.latchkey');
const port = Number(process.env.PORT || 8787);

function describe({ origin, owner, nats, leftovers }: Stack): string {
  const near = relative(process.cwd(), state);
  const file = join(near.startsWith('..') ? state : near, 'owner.json');
  const lines = [
    ...(leftovers ? [`Ended ${leftovers} processes of an earlier start.`] : []),
    `Latchkey is at  ${origin}`,
    owner
      ? `Sign in as      ${owner.email}; the password and an API key are in ${file}`
      : `There is no ${file}: sign in as you did before, or remove ${dirname(file)} to start anew.`,
    ...[...nats].map(([region, server]) => `NATS ${region}     ${server.url}`),
    'Ctrl-C ends all of it.',
  ];
  return lines.join('\n');
}

/** Resolves on the first sign that it is time to end. */
function end(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    // What started us is gone, and with it whoever would press Ctrl-C.
    process.on('disconnect', () => resolve());
  });
}

async function main(): Promise<void> {
  const ending = end();
  privateFolder(state);
  // The local runtime makes a temporary folder, which a kill leaves: here the next start removes it.
  process.env.TMPDIR = join(state, 'tmp');
  rmSync(process.env.TMPDIR, { recursive: true, force: true });
  privateFolder(process.env.TMPDIR);

  console.log('Starting…');
  const { assets } = await bundleWorker(config);
  await buildSite(config, assets, () => console.log('Building the site…'));
  const stack = await startStack({ state, port, config });
  console.log(describe(stack));
  const stopClock = onSchedule(stack.crons, (cron) => {
    stack.schedule(cron).catch((error: Error) => console.error(error.message));
  });
  await ending;
  stopClock();
  await stack.stop();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(error instanceof PortTaken ? error.message : error);
  process.exit(1);
}
