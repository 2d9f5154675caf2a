/**
 * The command line of `npm start`: builds what is missing, starts the stack, prints its URL and how to sign in, and
 * stops everything on Ctrl-C. The only secret that it prints is a sign-in link, which works once.
 *
 * `PORT` is the origin's port (8787), `LATCHKEY_STATE` the state folder (`.latchkey`), `LATCHKEY_CONFIG` the wrangler
 * configuration (`wrangler.toml`); paths are relative to the project's folder. With `PORT=0`, all ports are free
 * ones; else NATS uses 4222 and the ports after it, if they are free.
 */
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { findUser } from '../../db/identity/bootstrap.ts';
import { newSignInLink } from '../../functions/iam/sign-in/sign-in-links.ts';
import { bundleWorker } from './bundle.ts';
import { natsServerVersion, versionWarning } from './nats.ts';
import { localAccess } from './new-organization.ts';
import { NATS_PORT, portOf } from './ports.ts';
import { refuseIfRunning } from './processes.ts';
import { defaultConfig, root, systemReason } from './project.ts';
import { onSchedule } from './schedule.ts';
import { buildSite } from './site.ts';
import { type Stack, stackDatabases, startStack } from './stack.ts';
import { claimStateFolder, emptyFolder } from './state-folder.ts';
import { Stop } from './tools.mjs';

const config = resolve(root, process.env.LATCHKEY_CONFIG || defaultConfig);
const state = resolve(root, process.env.LATCHKEY_STATE || '.latchkey');

/** How long the printed sign-in link works, in milliseconds. */
const LINK_LIFE = 3_600_000;

/**
 * Creates a link that signs the Owner in, once; undefined if no user has the email in `owner.json` any more. Writes to the
 * database's file: a start of the local runtime's database client takes half a second of CPU time.
 */
async function signInLink({ origin, owner }: Stack): Promise<string | undefined> {
  if (!owner) return undefined;
  const identity = (await stackDatabases(state, config)).find(({ binding }) => binding === 'IDENTITY');
  if (!identity) throw new Error(`${config} has no database with the binding IDENTITY`);
  const access = localAccess(identity.file);
  if (!(await access.first(findUser(owner.email)))) return undefined;
  const now = Date.now();
  const { token, statements } = await newSignInLink({ email: owner.email, now, expiresAt: now + LINK_LIFE });
  await access.run(statements);
  return `${origin}/sign-in/#${token}`;
}

function describe(
  { origin, owner, nats, leftovers }: Stack,
  version: string,
  link: string | undefined,
): string {
  const near = relative(process.cwd(), state);
  const file = join(near.startsWith('..') ? state : near, 'owner.json');
  const rows: [string, string][] = [
    ['Latchkey is at', origin],
    ['Get started', `${origin}/get-started/`],
    ['Create credentials', `${origin}/how-to/create-credentials/`],
    ...(link ? [['Sign in', `${link} (single use, valid for an hour)`] as [string, string]] : []),
    owner
      ? [link ? 'Later' : 'Sign in', `as ${owner.email}, with the password in ${file} (also has an API key)`]
      : [
          'Sign in',
          `with the password that you know: ${file} does not exist. To start over, delete ${dirname(file)}`,
        ],
    ...[...nats].map(([region, { url }]): [string, string] => [
      `NATS ${region}`,
      `${url} (nats-server ${version})`,
    ]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const warning = versionWarning(version);
  return [
    '',
    ...(leftovers ? [`Ended ${leftovers} processes left from an earlier start.`] : []),
    ...(warning ? [warning] : []),
    ...rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`),
    'Press Ctrl-C to stop.',
  ].join('\n');
}

/** Resolves on the first signal to stop. */
function end(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    // Our parent process has ended, so Ctrl-C cannot reach us any more.
    process.on('disconnect', () => resolve());
  });
}

async function main(): Promise<void> {
  const ending = end();
  const port = portOf(process.env.PORT);
  if (!existsSync(config)) throw new Stop(`${config} does not exist. Correct LATCHKEY_CONFIG.`);
  const version = natsServerVersion();
  claimStateFolder(state);
  refuseIfRunning(state);
  // The local runtime creates a temporary folder, which a kill leaves behind: in this folder, the next start deletes
  // it.
  process.env.TMPDIR = emptyFolder(state, 'tmp');

  console.log('Preparing the Worker…');
  const { assets } = await bundleWorker(config);
  await buildSite(config, assets, () => console.log('Building the site. This takes up to a minute…'));
  console.log('Starting the Worker, the nats-servers and the queue engines…');
  const natsFrom = port === 0 ? {} : { natsFrom: NATS_PORT };
  const stack = await startStack({ state, port, config, restart: true, ...natsFrom });
  console.log(describe(stack, version, await signInLink(stack)));
  const stopClock = onSchedule(stack.crons, (cron) => {
    stack.schedule(cron).catch((error: Error) => console.error(error.message));
  });
  await ending;
  stopClock();
  await stack.stop();
}

/** Returns the text to print for an error that ends the start. An unexpected error keeps its stack trace. */
function explain(error: unknown): unknown {
  if (error instanceof Stop) return error.message;
  const reason = systemReason(error);
  if (!reason) return error;
  const { path = state } = error as NodeJS.ErrnoException;
  return `${path} cannot be read or written (${reason}). Fix this, or set LATCHKEY_STATE to another folder.`;
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}
