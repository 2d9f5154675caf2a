/**
 * What a deployment to Cloudflare consists of and in which order. Every step looks first at what is there: a
 * deployment that was cut off is finished by the next one. Talks to Cloudflare through wrangler alone, and reads and
 * writes one folder, the operator's own.
 *
 * The folder holds `secrets.json` and `owner.json`, which exist nowhere else: secrets cannot be read back from a
 * Worker. It also gets the generated wrangler configuration and what the nats-servers need.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Statement } from '../../db/identity/bootstrap.ts';
import { createOrganization, type Owner } from '../../functions/iam/bootstrap.ts';
import { engineKey } from '../../functions/shared/env.ts';
import { type RegionsVar, regionBinding } from '../../functions/shared/regions.ts';
import { type DeployConfig, readDeployConfig } from './deploy-config.ts';
import { natsConfiguration } from './nats.ts';
import { newPassword } from './owner.ts';
import { privateFolder, writePrivately } from './project.ts';
import { type DeploymentSecrets, ensureSecrets, secretNames, storedSecretNames } from './secrets.ts';
import { Stop } from './tools.mjs';

/** What to deploy. */
export interface DeploymentSettings {
  /** The wrangler configuration, absolute. */
  config: string;
  /** The operator's folder, absolute; made when missing. */
  folder: string;
  /** Who becomes the Owner; needed as long as the deployment has no organization. */
  ownerEmail: string | undefined;
  organizationName: string;
  /** Where the keys of the regions' engines are given, `ENGINE_KEY_<REGION>`, and the mail provider's `MAIL_TOKEN`. */
  environment: Readonly<Record<string, string | undefined>>;
}

/** How a deployment acts on the world; a dry run has another one. */
export interface DeploymentActions {
  /** Runs wrangler and resolves to what it printed on stdout. */
  ask(args: readonly string[]): Promise<string>;
  /** Runs wrangler for what it does. Resolves to the addresses that a deployment answers at. */
  run(args: readonly string[]): Promise<string[]>;
  /** Builds the site of the configuration. */
  buildSite(config: DeployConfig): Promise<void>;
  /** Is told each generated file; `secrets` are the parts of it that nobody should see. */
  announce(path: string, text: string, secrets: readonly string[]): void;
  /** Tells the operator something. */
  say(line: string): void;
}

/** A deployment cannot go on; the message says what to do. */
export class CannotDeploy extends Stop {}

/** Deploys. Throws {@link CannotDeploy}, or what wrangler failed with. */
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
    ...givenEngineKeys(config.regions, deployed, settings.environment),
    ...(config.mailByHttp && givenMailToken(deployed, settings.environment)),
  };
  const secrets = await ensureSecrets(settings.folder, regions);
  await actions.buildSite(config);
  await Promise.all(
    config.databases.map(({ database_name: name }) =>
      actions.run(['d1', 'migrations', 'apply', name, '--remote', '--config', generated]),
    ),
  );
  // Before the code goes out: an origin that answers has an Owner.
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

/** Creates the databases that are missing; resolves to all ids by name. */
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

/** The secrets of ours that the deployed Worker does not have, by name. */
function missingSecrets(
  regions: readonly string[],
  deployed: readonly string[],
  { folder }: DeploymentSettings,
): string[] {
  const stored = storedSecretNames(folder);
  const lost = secretNames(regions).filter((name) => deployed.includes(name) && !stored.includes(name));
  if (lost.length > 0) {
    throw new CannotDeploy(
      `The deployed Worker has ${lost.join(', ')}, but ${join(folder, 'secrets.json')} does not. Restore your copy of that file.`,
    );
  }
  return secretNames(regions).filter((name) => !deployed.includes(name));
}

/** The keys of engines that the environment gives, new or in place of those that the Worker has. */
function givenEngineKeys(
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

/** The token of the mail provider that the environment gives, new or in place of the one that the Worker has. */
function givenMailToken(
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

/** Statements as the text of an SQL file, parameters in place. */
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

// Hashes of long random secrets give nobody access; all the same nobody needs to see them.
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
      tls: CERTIFICATE,
      websocket: `  listen: "0.0.0.0:${portOf(websockets[0], 443)}"\n  ${CERTIFICATE}\n  allowed_origins: ${JSON.stringify(origins)}`,
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

// URL leaves out the port that its scheme implies.
function portOf(url: string | undefined, implied: number): number {
  return Number((url && new URL(url).port) || implied);
}

const CERTIFICATE = 'tls { cert_file: "/etc/nats/tls.crt", key_file: "/etc/nats/tls.key" }';
