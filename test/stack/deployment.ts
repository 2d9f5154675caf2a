/**
 * The steps of a deployment to Cloudflare, in order. Every step first checks the current state, so that the next
 * deployment finishes an interrupted one. Uses Cloudflare through wrangler only, and reads and writes one folder, the
 * operator's.
 *
 * The folder contains `secrets.json` and `owner.json`, which exist nowhere else: secrets cannot be read back from a
 * Worker. The deployment also writes the generated wrangler configuration and the files for nats-servers to it.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Statement } from '../../db/identity/bootstrap.ts';
import { createOrganization, type Owner } from '../../functions/iam/bootstrap.ts';
import { engineKey } from '../../functions/shared/env.ts';
import { type RegionsVar, regionBinding } from '../../functions/shared/regions.ts';
import { type DeployConfig, readDeployConfig } from './deploy-config.ts';
import { clientTls, natsConfiguration } from './nats.ts';
import { newPassword } from './owner.ts';
import { privateFolder, writePrivately } from './project.ts';
import { type DeploymentSecrets, ensureSecrets, secretNames, storedSecretNames } from './secrets.ts';
import { Stop } from './tools.mjs';

/** What to deploy. */
export interface DeploymentSettings {
  /** The wrangler configuration, an absolute path. */
  config: string;
  /** The operator's folder, an absolute path; created if missing. */
  folder: string;
  /** The email of the Owner; required while the deployment has no organization. */
  ownerEmail: string | undefined;
  organizationName: string;
  /** The environment with the engines' keys, `ENGINE_KEY_<REGION>`, and the email provider's `MAIL_TOKEN`. */
  environment: Readonly<Record<string, string | undefined>>;
}

/** The external actions of a deployment; a dry run replaces them. */
export interface DeploymentActions {
  /** Runs wrangler and resolves to its stdout. */
  ask(args: readonly string[]): Promise<string>;
  /** Runs wrangler for its effect. Resolves to the addresses of the deployment. */
  run(args: readonly string[]): Promise<string[]>;
  /** Builds the site of the configuration. */
  buildSite(config: DeployConfig): Promise<void>;
  /** Called with each generated file; `secrets` are the parts to mask. */
  announce(path: string, text: string, secrets: readonly string[]): void;
  /** Prints a message for the operator. */
  say(line: string): void;
}

/** The deployment cannot continue; the message says what to do. */
export class CannotDeploy extends Stop {}

/** Deploys. Throws {@link CannotDeploy}, or wrangler's error. */
export async function deploy(settings: DeploymentSettings, actions: DeploymentActions): Promise<void> {
  privateFolder(settings.folder);
  const config = await readDeployConfig(settings.config);
  const regions = Object.keys(config.regions);
  const generated = join(settings.folder, 'wrangler.json');

  const ids = await ensureDatabases(config, settings, actions);
  const text = `${JSON.stringify(config.withIds(ids), null, 2)}\n`;
  writePrivately(generated, text);
  actions.announce(generated, text, []);

  const deployed = await deployedSecrets(config.name, settings.config, actions);
  const missing = missingSecrets(regions, deployed, settings);
  const given = {
    ...engineKeysFrom(config.regions, deployed, settings.environment),
    ...(config.mailByHttp && mailTokenFrom(deployed, settings.environment)),
  };
  const secrets = await ensureSecrets(settings.folder, regions);
  await actions.buildSite(config);
  await Promise.all(
    config.databases.map(({ database_name: name }) =>
      actions.run(['d1', 'migrations', 'apply', name, '--remote', '--config', generated]),
    ),
  );
  // Before the code is deployed: an origin that responds has an Owner.
  await bootstrapOwner(config, generated, settings, actions);
  const created = Object.fromEntries(missing.map((name) => [name, secrets.worker[name] as string]));
  const origins = await deployCode(generated, { ...created, ...given }, settings.folder, actions);
  writeNatsFiles(settings.folder, config.regions, secrets, origins, actions);
}

async function databaseIds(path: string, actions: DeploymentActions): Promise<Map<string, string>> {
  const list = JSON.parse(await actions.ask(['d1', 'list', '--json', '--config', path])) as {
    name: string;
    uuid: string;
  }[];
  return new Map(list.map(({ name, uuid }) => [name, uuid]));
}

/** Creates the missing databases. Resolves to all IDs by name. */
async function ensureDatabases(
  config: DeployConfig,
  { config: path, ownerEmail }: DeploymentSettings,
  actions: DeploymentActions,
): Promise<Map<string, string>> {
  const ids = await databaseIds(path, actions);
  if (!ids.has(config.identity) && !ownerEmail) throw new CannotDeploy(OWNER_WANTED);
  const missing = config.databases.filter(({ database_name: name }) => !ids.has(name));
  await Promise.all(
    missing.map(({ database_name: name, location }) => {
      const near = location ? ['--location', location] : [];
      return actions.run(['d1', 'create', name, ...near, '--config', path]);
    }),
  );
  return missing.length > 0 ? databaseIds(path, actions) : ids;
}

/** Returns our secrets that the deployed Worker lacks, by name. */
function missingSecrets(
  regions: readonly string[],
  deployed: readonly string[],
  { folder }: DeploymentSettings,
): string[] {
  const stored = storedSecretNames(folder);
  const missing = secretNames(regions).filter((name) => deployed.includes(name) && !stored.includes(name));
  if (missing.length > 0) {
    throw new CannotDeploy(
      `The deployed Worker has ${missing.join(', ')}, but ${join(folder, 'secrets.json')} does not. Restore your copy of that file.`,
    );
  }
  return secretNames(regions).filter((name) => !deployed.includes(name));
}

/** Returns the engine keys in the environment, new ones or replacements. */
function engineKeysFrom(
  regions: RegionsVar,
  deployed: readonly string[],
  environment: DeploymentSettings['environment'],
): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [region, { engine }] of Object.entries(regions)) {
    const name = regionBinding('ENGINE_KEY', region);
    const value = environment[name];
    if (!engine || (!value && deployed.includes(name))) continue;
    if (!engineKey.safeParse(value).success) {
      throw new CannotDeploy(`Region ${region} has an engine. Set ${name} to the operator's key for it, as JSON:

  ${name}='{"access_key_id":"…","secret_access_key":"…"}' npm run deploy`);
    }
    given[name] = value as string;
  }
  return given;
}

/** Returns the email provider's token in the environment, a new one or a replacement. */
function mailTokenFrom(
  deployed: readonly string[],
  { MAIL_TOKEN }: DeploymentSettings['environment'],
): Record<string, string> {
  if (MAIL_TOKEN) return { MAIL_TOKEN };
  if (deployed.includes('MAIL_TOKEN')) return {};
  throw new CannotDeploy(`MAIL.transport is "http". Set MAIL_TOKEN to your token for the email provider:

  MAIL_TOKEN=… npm run deploy`);
}

async function deployedSecrets(
  worker: string,
  config: string,
  actions: DeploymentActions,
): Promise<string[]> {
  try {
    const list = await actions.ask([
      'secret',
      'list',
      '--name',
      worker,
      '--format',
      'json',
      '--config',
      config,
    ]);
    return (JSON.parse(list) as { name: string }[]).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && error.message.includes(`Worker "${worker}" not found`)) return [];
    throw error;
  }
}

async function bootstrapOwner(
  config: DeployConfig,
  generated: string,
  { folder, ownerEmail, organizationName }: DeploymentSettings,
  actions: DeploymentActions,
): Promise<void> {
  const file = join(folder, 'owner.json');
  const draft = `${file}.new`;
  const execute = ['d1', 'execute', config.identity, '--remote', '--config', generated];
  const first = async () => firstOrganization(await actions.ask([...execute, '--json', '--command', FIRST]));
  let organization = await first();
  if (!organization) {
    if (!ownerEmail) throw new CannotDeploy(OWNER_WANTED);
    const password = newPassword();
    const input = { organizationName, email: ownerEmail, password, now: Date.now(), onlyFirst: true };
    const { owner, statements } = await createOrganization(input);
    writePrivately(draft, `${JSON.stringify(owner, null, 2)}\n`);
    const sql = join(folder, 'owner.sql');
    writePrivately(sql, sqlText(statements));
    try {
      actions.announce(sql, sqlText(statements), hashesIn(statements));
      await actions.run([...execute, '--yes', '--file', sql]);
    } finally {
      rmSync(sql);
    }
    organization = (await first()) ?? owner.organization_id;
  }
  const owner: Owner | undefined = existsSync(draft) ? JSON.parse(readFileSync(draft, 'utf8')) : undefined;
  if (owner?.organization_id !== organization) return;
  renameSync(draft, file);
  actions.say(`The Owner is ${owner.email}. The password and an API key are in ${file}.`);
}

const FIRST = 'select id from organizations order by created_at limit 1';
const OWNER_WANTED = `This deployment has no organization yet. Set its Owner:

  npm run deploy -- --owner-email you@example.com`;

function firstOrganization(printed: string): string | undefined {
  const [answer] = JSON.parse(printed) as { results: { id: string }[] }[];
  return answer?.results[0]?.id;
}

/** Formats statements as an SQL file, with the parameters inlined. */
export function sqlText(statements: readonly Statement[]): string {
  const lines = statements.map(({ sql, params }) => {
    const rest = [...params];
    return `${sql.replaceAll('?', () => literal(rest.shift() ?? null))};\n`;
  });
  return lines.join('');
}

function literal(value: string | number | null): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}

// Hashes of long random secrets grant no access, but masking them avoids doubt.
function hashesIn(statements: readonly Statement[]): string[] {
  return statements
    .flatMap(({ params }) => params)
    .filter((value) => typeof value === 'string')
    .filter((value) => value.startsWith('scrypt:') || /^[0-9a-f]{64}$/.test(value));
}

async function deployCode(
  generated: string,
  values: Readonly<Record<string, string>>,
  folder: string,
  actions: DeploymentActions,
): Promise<string[]> {
  if (Object.keys(values).length === 0) return actions.run(['deploy', '--config', generated]);
  const file = join(folder, 'new-secrets.json');
  const text = `${JSON.stringify(values, null, 2)}\n`;
  writePrivately(file, text);
  try {
    actions.announce(
      file,
      text,
      Object.values(values).map((value) => JSON.stringify(value).slice(1, -1)),
    );
    return await actions.run(['deploy', '--config', generated, '--secrets-file', file]);
  } finally {
    rmSync(file);
  }
}

function writeNatsFiles(
  folder: string,
  regions: RegionsVar,
  { operatorJwt, systemAccounts }: DeploymentSecrets,
  origins: readonly string[],
  actions: DeploymentActions,
): void {
  const nats = join(folder, 'nats');
  const origin = origins[0] ?? 'https://your-origin.example.com';
  mkdirSync(nats, { recursive: true });
  const files = new Map([['operator.jwt', `${operatorJwt}\n`]]);
  for (const [region, settings] of Object.entries(regions)) {
    const { nats_endpoint: endpoint, nats_websockets: websockets } = settings;
    const configuration = natsConfiguration({
      serverName: `${region}-1`,
      listen: `0.0.0.0:${portOf(endpoint, 4222)}`,
      operator: '/etc/nats/operator.jwt',
      systemAccount: systemAccounts[region] as string,
      resolver: `${origin}/jwt/v1/${region}/accounts/`,
      tls: clientTls(CERTIFICATE),
      websocket: `  listen: "0.0.0.0:${portOf(websockets[0], 443)}"\n  ${WEBSOCKET_TLS}\n  allowed_origins: ${JSON.stringify(origins)}`,
      jetstream: '/var/lib/nats',
      storage: settings.nats_storage ?? 100 * 1024 ** 3,
      memory: settings.nats_memory,
    });
    files.set(`${region}.conf`, configuration);
  }
  for (const [name, text] of files) {
    writeFileSync(join(nats, name), text);
    actions.announce(join(nats, name), text, []);
  }
  actions.say(
    `Configure each region's nats-servers with the files in ${nats}, and replace the certificate paths with yours.`,
  );
}

// URL omits the port that its scheme implies.
function portOf(url: string | undefined, implied: number): number {
  return Number((url && new URL(url).port) || implied);
}

const CERTIFICATE = { cert: '/etc/nats/tls.crt', key: '/etc/nats/tls.key' };
const WEBSOCKET_TLS = `tls { cert_file: "${CERTIFICATE.cert}", key_file: "${CERTIFICATE.key}" }`;
