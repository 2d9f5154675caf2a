/**
 * Secrets are shown once and stored sealed: searches every file of the state folder and every printed line for each
 * secret of the run, as plain text, hex and base64. Only the two files for secrets can contain them.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StartProcess, startProcess } from './start-process.ts';

/** The only files that contain secrets. */
const SECRET_FILES = ['owner.json', 'secrets.json'];

let state: string;
let running: StartProcess;
/** Name of the secret → the secret. */
const secrets: Record<string, string> = {};

async function call<Answer>(method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
  const response = await fetch(running.origin + path, {
    method,
    headers: { 'X-Auth-Token': running.owner.secret_key, 'Content-Type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return (text ? JSON.parse(text) : null) as Answer;
}

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'latchkey-secrets-'));
  running = await startProcess(state);
  const { project_id, email, password, secret_key } = running.owner;
  Object.assign(secrets, { 'password of the Owner': password, 'secret key of the API key': secret_key });
  // The operator's JWT is in that file as well, and public.
  const kept = readFileSync(join(state, 'secrets.json'), 'utf8').replaceAll(/eyJ[\w.-]+/g, '');
  for (const [i, text] of (kept.match(/S[AOU][A-Z2-7]{56}|[A-Za-z0-9+/_-]{42,}=*/g) ?? []).entries()) {
    secrets[`${i} of secrets.json`] = text;
  }
  for (const region of ['fr-par', 'nl-ams']) {
    const at = `/mnq/v1beta1/regions/${region}`;
    const account = await call<{ id: string }>('POST', `${at}/nats-accounts`, { project_id });
    for (let i = 0; i < 5; i++) {
      const made = await call<{ id: string; credentials: { content: string } }>(
        'POST',
        `${at}/nats-credentials`,
        {
          nats_account_id: account.id,
        },
      );
      secrets[`seed ${i} of ${region}`] = /SU[A-Z2-7]{56}/.exec(made.credentials.content)?.[0] ?? '';
      // A revocation makes the account's Durable Object store pending work.
      if (i === 0) await call('DELETE', `${at}/nats-credentials/${made.id}`);
    }
    for (const product of ['sqs', 'sns']) {
      await call('POST', `${at}/activate-${product}`, { project_id });
      for (let i = 0; i < 5; i++) {
        const body = { project_id, permissions: { can_publish: true } };
        const made = await call<{ secret_key: string }>('POST', `${at}/${product}-credentials`, body);
        secrets[`${product} key ${i} of ${region}`] = made.secret_key;
      }
    }
  }
  // Rejected requests contain secrets too, and are the most likely to be logged by mistake.
  await call('POST', '/auth/sign-in/email', { email, password }, { Origin: running.origin });
  await call('POST', '/auth/sign-in/email', { email, password: `${password}x` }, { Origin: running.origin });
  await call('POST', '/mnq/v1beta1/regions/fr-par/sqs-credentials', { project_id, name: 7 });
  await call('GET', `/mnq/v1beta1/regions/fr-par/nats-credentials/${secret_key}`);
});

afterAll(async () => {
  await running?.interrupt();
  rmSync(state, { recursive: true, force: true });
});

/** The encodings of a secret to search for. Base64 depends on the text's offset, so there are three of it. */
function formsOf(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    return text.slice(offset ? 4 : 0, -4);
  });
  return [secret, bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...base64]
    .flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')])
    .map((text) => Buffer.from(text));
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

/**
 * Returns a file's content; empty if it is gone, because the runtime creates and deletes database files as needed.
 */
function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.of();
    throw error;
  }
}

/** Returns the secrets in these bytes. */
const secretsIn = (bytes: Buffer): string[] =>
  Object.entries(secrets)
    .filter(([, secret]) => formsOf(secret).some((form) => bytes.includes(form)))
    .map(([name]) => name);

it('created secrets', () => {
  expect(Object.values(secrets).filter((secret) => secret.length < 20)).toEqual([]);
  expect(Object.keys(secrets).length).toBeGreaterThan(35);
});

it('are found in the files for secrets, which proves that the search works', () => {
  expect(secretsIn(readFileSync(join(state, 'owner.json')))).toContain('password of the Owner');
  expect(secretsIn(readFileSync(join(state, 'secrets.json'))).length).toBeGreaterThan(4);
  const [name, secret = ''] = Object.entries(secrets)[5] ?? [];
  for (const padding of ['', '.', '..']) {
    expect(secretsIn(Buffer.from(Buffer.from(`${padding}${secret}, and more`).toString('base64')))).toEqual([
      name,
    ]);
  }
});

it('are in no other file, and the files are readable by their owner only', () => {
  const files = filesIn(state);
  expect(files.filter((file) => /sqlite(-wal)?$/.test(file)).length).toBeGreaterThan(3);
  expect(files.some((file) => file.includes('AccountPublisher'))).toBe(true);
  for (const file of files) {
    if (SECRET_FILES.includes(relative(state, file))) expect(statSync(file).mode & 0o777, file).toBe(0o600);
    else expect(secretsIn(contentOf(file)), relative(state, file)).toEqual([]);
  }
  expect(statSync(state).mode & 0o777).toBe(0o700);
});

it('are never printed', () => {
  expect(running.printed()).toContain(running.owner.email);
  expect(secretsIn(Buffer.from(running.printed()))).toEqual([]);
});
