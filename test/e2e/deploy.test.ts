/**
 * Deployment with the real wrangler against a fake Cloudflare account, and the dry run. These tests cannot show that
 * Cloudflare itself accepts the code and the databases.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { hashSecretKey } from '../../functions/iam/principals/api-keys.ts';
import { verifyPassword } from '../../functions/iam/sign-in/passwords.ts';
import { onCloudflare } from '../stack/cloudflare.ts';
import { CannotDeploy, deploy } from '../stack/deployment.ts';
import { deployedAccess, newOrganization } from '../stack/new-organization.ts';
import { defaultConfig, root } from '../stack/project.ts';
import { secretNames } from '../stack/secrets.ts';
import { type FakeCloudflare, fakeCloudflare } from './fake-cloudflare.ts';

const REGIONS = ['fr-par', 'nl-ams'];
const scratch = mkdtempSync(join(tmpdir(), 'latchkey-deploy-test-'));
const folder = join(scratch, 'deploy');
const config = join(scratch, 'wrangler.toml');
let account: FakeCloudflare;

beforeAll(async () => {
  account = await fakeCloudflare();
  for (const [name, value] of Object.entries(account.environment)) vi.stubEnv(name, value);
  const settings = readFileSync(defaultConfig, 'utf8')
    .replace('main = "', `main = "${root}/`)
    .replace('"./functions/', `"${root}/functions/`)
    .replace('directory = "site/dist"', `directory = "${join(scratch, 'site')}"`)
    .replaceAll('migrations_dir = "', `migrations_dir = "${root}/`);
  writeFileSync(config, settings);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await account.close();
  rmSync(scratch, { recursive: true });
});

/** What wrangler has printed about the account, by its number of changes and the command: each run takes a second. */
const printed = new Map<string, Promise<string>>();

/** Deploys. Asks wrangler again only if something in the account has changed. */
function deployAs(ownerEmail?: string, environment: Record<string, string> = {}): Promise<void> {
  const actions = onCloudflare(config, () => {});
  const ask = (args: readonly string[]) => {
    const question = JSON.stringify([account.changes.length, ...args]);
    const known = printed.get(question) ?? actions.ask(args);
    printed.set(question, known);
    return known;
  };
  return deploy(
    { config, folder, ownerEmail, organizationName: "Somebody's", environment },
    { ...actions, ask },
  );
}

function rows(database: string, sql: string): Record<string, unknown>[] {
  return account.databases.get(database)?.sqlite.prepare(sql).all() ?? [];
}

function json<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;
}

// Each deployment runs wrangler several times.
describe('npm run deploy', { timeout: 300_000 }, () => {
  it('requires the Owner’s email address before it creates anything', async () => {
    await expect(deployAs()).rejects.toThrow(CannotDeploy);
    expect(account.changes).toEqual([]);
  });

  it('refuses a setting that would break accounts before it changes anything', async () => {
    const before = readFileSync(config, 'utf8');
    try {
      writeFileSync(config, `${before}\n[vars.NATS]\nmax_revocations = 20_000\n`);
      await expect(deployAs('owner@example.com')).rejects.toThrow(/NATS\.max_revocations: .*9500/);
      expect(account.changes).toEqual([]);
    } finally {
      writeFileSync(config, before);
    }
  });

  it('creates and migrates the databases near their regions, and creates the Owner, before it uploads the code', async () => {
    account.failNextUpload = true;
    await expect(deployAs('Owner@Example.com')).rejects.toThrow('wrangler deploy');
    expect(
      Object.fromEntries([...account.databases].map(([name, { location }]) => [name, location])),
    ).toEqual({
      'latchkey-identity': undefined,
      'latchkey-fr-par': 'weur',
      'latchkey-nl-ams': 'weur',
    });
    for (const name of account.databases.keys())
      expect(rows(name, 'select * from d1_migrations')).not.toEqual([]);
    expect(rows('latchkey-identity', 'select name from organizations')).toEqual([{ name: "Somebody's" }]);
    expect(account.worker).toBeUndefined();
  });

  it('resumes an interrupted deployment, and sets every missing secret of the Worker', async () => {
    await deployAs();
    const { worker: secrets } = json<{ worker: Record<string, string> }>('secrets.json');
    expect(Object.keys(secrets).sort()).toEqual(secretNames(REGIONS).sort());
    expect(account.worker).toEqual({ uploads: 1, secrets });
    const classes = account.migrations.flatMap(({ steps }) =>
      steps.flatMap((step) => step.new_sqlite_classes),
    );
    expect(classes).toEqual(['AccountPublisher', 'CredentialGuard']);
    expect(rows('latchkey-identity', 'select id from organizations')).toHaveLength(1);
  });

  it('creates an Owner who can sign in and call the API with owner.json', async () => {
    const owner = json<Owner>('owner.json');
    expect(owner.email).toBe('owner@example.com');
    const [row] = rows(
      'latchkey-identity',
      `select m.role, s.password, k.secret_hash, k.default_project_id from users u
       join memberships m on m.user_id = u.id join sign_in_methods s on s.user_id = u.id
       join api_keys k on k.user_id = u.id where u.email = 'owner@example.com'`,
    );
    expect(row).toMatchObject({ role: 'owner', default_project_id: owner.project_id });
    expect(row?.secret_hash).toBe(await hashSecretKey(owner.secret_key));
    expect(await verifyPassword({ hash: String(row?.password), password: owner.password })).toBe(true);
  });

  it('makes its secrets readable by the operator only, and leaves no other file with secrets', () => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => !path.startsWith('.wrangler'))
      .sort();
    expect(files).toEqual(
      [
        'nats',
        'nats/fr-par.conf',
        'nats/nl-ams.conf',
        'nats/operator.jwt',
        'owner.json',
        'secrets.json',
      ].concat(['wrangler.json']),
    );
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of ['owner.json', 'secrets.json'])
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  });

  describe('with an engine and an email provider', () => {
    const site = '\n[vars.SITE]\nurl = "https://latchkey.example.com"\n';
    const others = `
[vars.REGIONS.nl-ams.engine]
sqs_endpoint = "https://sqs.eu-west-3.amazonaws.com"
sns_endpoint = "https://sns.eu-west-3.amazonaws.com"
region = "eu-west-3"
account = "111122223333"

[vars.MAIL]
transport = "http"
endpoint = "https://mail.example.com/send"
from = "latchkey@example.com"
`;
    const ENGINE_KEY_NL_AMS = JSON.stringify({ access_key_id: 'AKIAEXAMPLE', secret_access_key: 'example' });
    const given = { ENGINE_KEY_NL_AMS, MAIL_TOKEN: 'token of the provider' };
    let before: string;

    beforeAll(() => {
      before = readFileSync(config, 'utf8');
      writeFileSync(config, before + others + site);
    });

    afterAll(() => writeFileSync(config, before));

    it('reads their keys from the environment, and stops without them or without the site’s URL for email links', async () => {
      writeFileSync(config, before + others);
      await expect(deployAs(undefined, given)).rejects.toThrow('SITE.url: is required with MAIL');
      writeFileSync(config, before + others + site);
      for (const [environment, wanted] of [
        [{}, 'Set ENGINE_KEY_NL_AMS'],
        [{ ENGINE_KEY_NL_AMS: 'AKIA' }, 'Set ENGINE_KEY_NL_AMS'],
        [{ ENGINE_KEY_NL_AMS }, 'Set MAIL_TOKEN'],
      ] as const)
        await expect(deployAs(undefined, environment)).rejects.toThrow(wanted);
      await deployAs(undefined, given);
      expect(account.worker?.secrets).toMatchObject(given);
    });

    it('changes nothing but the code when it runs again, and does not require the keys again', async () => {
      const uploads = account.worker?.uploads ?? 0;
      const secrets = { ...account.worker?.secrets };
      const before = account.changes.length;
      await deployAs('someone-else@example.com');
      const changes = account.changes.slice(before).filter((change) => !change.endsWith('/query'));
      expect(changes.filter((change) => change.includes('/d1/'))).toEqual([]);
      expect(account.worker).toEqual({ uploads: uploads + 1, secrets });
      expect(account.worker?.secrets).toMatchObject(given);
      expect(rows('latchkey-identity', 'select email from users')).toEqual([{ email: 'owner@example.com' }]);
    });
  });

  it('writes a configuration for each nats-server, with its system account and resolver URL', () => {
    const configurations = REGIONS.map((region) => readFileSync(join(folder, `nats/${region}.conf`), 'utf8'));
    for (const [i, text] of configurations.entries()) {
      expect(text).toMatch(/^ {2}max_file: 107374182400$/m);
      expect(text).toMatch(/^system_account: A[A-Z2-7]{55}$/m);
      expect(text).toContain(
        `resolver: URL(https://latchkey.account.workers.dev/jwt/v1/${REGIONS[i]}/accounts/)`,
      );
    }
    expect(new Set(configurations.map((text) => /system_account: (.*)/.exec(text)?.[1])).size).toBe(2);
    expect(readFileSync(join(folder, 'nats/operator.jwt'), 'utf8')).toMatch(/^eyJ/);
  });

  it('creates only the guards for a deployment of a version without them, once', async () => {
    account.migrations.length = 0;
    account.migrationTag = 'v1';
    await deployAs();
    await deployAs();
    expect(account.migrations).toEqual([
      { old_tag: 'v1', new_tag: 'v2', steps: [{ new_sqlite_classes: ['CredentialGuard'] }] },
    ]);
  });

  it('refuses a configuration without guards before it changes anything', async () => {
    const before = readFileSync(config, 'utf8');
    const changes = account.changes.length;
    try {
      writeFileSync(config, before.replace('name = "CREDENTIAL_GUARD"', 'name = "ANOTHER"'));
      await expect(deployAs()).rejects.toThrow(/has no Durable Object with the binding CREDENTIAL_GUARD/);
      writeFileSync(config, before.replace('functions/worker.ts', 'functions/index.ts'));
      await expect(deployAs()).rejects.toThrow(/main must be functions\/worker\.ts/);
      expect(account.changes.length).toBe(changes);
    } finally {
      writeFileSync(config, before);
    }
  });

  it('stops when the operator has lost the secrets that the Worker has', async () => {
    const file = join(folder, 'secrets.json');
    const text = readFileSync(file, 'utf8');
    rmSync(file);
    await expect(deployAs()).rejects.toThrow(/SEALING_KEYS.*Restore your copy/);
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, text);
  });

  it('can create more organizations later, for new and existing Owners', async () => {
    const access = deployedAccess(
      'latchkey-identity',
      folder,
      onCloudflare(config, () => {}),
    );
    const first = json<Owner>('owner.json');
    const [theirs, ours] = [
      await newOrganization(access, { name: "Ada's", email: 'Ada@Example.com' }),
      await newOrganization(access, { name: 'Ours', email: first.email }),
    ];
    const ownersOf = (id: string) =>
      rows(
        'latchkey-identity',
        `select u.email, s.password from memberships m join users u on u.id = m.user_id
         join sign_in_methods s on s.user_id = u.id where m.organization_id = '${id}' and m.role = 'owner'`,
      );
    const [ada] = ownersOf(theirs.organization_id);
    expect(ada?.email).toBe('ada@example.com');
    expect(await verifyPassword({ hash: String(ada?.password), password: theirs.password ?? '' })).toBe(true);
    expect(ours.password).toBeNull();
    expect(ownersOf(ours.organization_id)).toMatchObject([{ email: first.email }]);
    expect(existsSync(join(folder, 'organization.sql'))).toBe(false);
  });
});

describe('npm run deploy -- --dry-run', () => {
  it('prints every command and file of a first deployment, changes nothing, and prints no secret', async () => {
    const before = account.changes.length;
    const script = join(root, 'test/stack/deploy.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [script, '--dry-run'], { cwd: root });
    for (const shown of [
      '$ wrangler d1 create latchkey-identity',
      '$ wrangler d1 create latchkey-fr-par --location weur',
      '$ wrangler d1 migrations apply latchkey-nl-ams --remote',
      '# .deploy/owner.sql\ninsert into organizations',
      '# .deploy/new-secrets.json\n{\n  "SEALING_KEYS": "<secret>",',
      '$ wrangler deploy --config .deploy/wrangler.json --secrets-file .deploy/new-secrets.json',
      '--dry-run: exiting now.',
      '# .deploy/nats/fr-par.conf',
    ]) {
      expect(stdout).toContain(shown);
    }
    expect(stdout.indexOf('d1 migrations apply')).toBeLessThan(stdout.indexOf('$ wrangler deploy'));
    // NATS seeds, 32-byte keys in base64, and hashes of passwords and API keys.
    expect(stdout).not.toMatch(/S[OAU][A-Z2-7]{56}|[A-Za-z0-9+/]{43}=|scrypt:|'[0-9a-f]{64}'/);
    expect(account.changes.length).toBe(before);
  });
});
