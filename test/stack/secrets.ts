/**
 * The secrets of a deployment, local or real, in `secrets.json` of a folder: created once, completed when a region is
 * added, never printed. Each is described in functions/shared/env.ts.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { operatorJwt } from '../../functions/nats/jwt.ts';
import { createKey, importSeed } from '../../functions/nats/keys.ts';
import { regionBinding } from '../../functions/shared/regions.ts';
import { readJson, writePrivately } from './project.ts';

/** The secrets of a deployment, and the public values derived from them. */
export interface DeploymentSecrets {
  /** The Worker's secrets: name → value. */
  worker: Record<string, string>;
  /** The operator JWT that each nats-server trusts: public. */
  operatorJwt: string;
  /** Region → the public key `A…` of its system account. */
  systemAccounts: Record<string, string>;
}

/** `secrets.json`. No server gets the operator's identity seed: it signs a replacement for a leaked signing key. */
const secretsFile = z.object({
  worker: z.record(z.string(), z.string()),
  operator: z.object({ identity_seed: z.string(), jwt: z.string() }),
});
type SecretsFile = z.output<typeof secretsFile>;

/** Returns the names of the Worker's secrets, in a deployment with these regions. */
export function secretNames(regions: readonly string[]): string[] {
  return [
    'SEALING_KEYS',
    'OPERATOR_SIGNING_SEED',
    'SIGN_IN_SECRET',
    ...regions.map((region) => regionBinding('SYSTEM_SEED', region)),
  ];
}

/** Returns the names of the Worker's secrets in the folder's `secrets.json`; none if the file does not exist. */
export function storedSecretNames(folder: string): string[] {
  return Object.keys(read(folder)?.worker ?? {});
}

/**
 * Returns the folder's secrets (the folder must exist), creating the missing ones. An unreadable `secrets.json` is an
 * error: secrets are never replaced.
 */
export async function ensureSecrets(folder: string, regions: readonly string[]): Promise<DeploymentSecrets> {
  const stored = read(folder);
  const worker = { ...stored?.worker };
  for (const name of secretNames(regions)) worker[name] ??= await newSecret(name);
  // The operator's JWT contains its signing key: a new key needs a new JWT.
  const current = stored?.worker.OPERATOR_SIGNING_SEED ? stored.operator : undefined;
  const operator =
    current ?? (await newOperator(worker.OPERATOR_SIGNING_SEED as string, stored?.operator.identity_seed));
  const complete: SecretsFile = { worker, operator };
  if (JSON.stringify(complete) !== JSON.stringify(stored)) {
    writePrivately(join(folder, 'secrets.json'), `${JSON.stringify(complete, null, 2)}\n`);
  }
  const systemAccounts: Record<string, string> = {};
  for (const region of regions) {
    const seed = worker[regionBinding('SYSTEM_SEED', region)] as string;
    systemAccounts[region] = (await importSeed(seed)).publicKey;
  }
  return { worker, operatorJwt: operator.jwt, systemAccounts };
}

function read(folder: string): SecretsFile | undefined {
  const remedy = `Restore it from a backup: without it, data encrypted with these secrets cannot be read. To start over, delete ${folder}.`;
  return readJson(join(folder, 'secrets.json'), secretsFile, remedy);
}

async function newSecret(name: string): Promise<string> {
  switch (name) {
    case 'SEALING_KEYS':
      return JSON.stringify([{ id: '1', key: randomBytes(32).toString('base64') }]);
    case 'SIGN_IN_SECRET':
      return randomBytes(32).toString('base64url');
    case 'OPERATOR_SIGNING_SEED':
      return (await createKey('operator')).seed;
    default:
      return (await createKey('account')).seed;
  }
}

async function newOperator(signingSeed: string, identitySeed?: string): Promise<SecretsFile['operator']> {
  const seed = identitySeed ?? (await createKey('operator')).seed;
  const { publicKey } = await importSeed(signingSeed);
  const identity = await importSeed(seed);
  const jwt = await operatorJwt({ name: 'Latchkey', identity, signingKeys: [publicKey], now: Date.now() });
  return { identity_seed: seed, jwt };
}
