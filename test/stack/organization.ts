/**
 * The command line of `npm run organization -- --name NAME --owner-email ADDRESS [--new-password] [--deployed]`:
 * creates another organization in the local stack's state folder (`LATCHKEY_STATE`, `.latchkey`) or, with
 * `--deployed`, in the deployment. It prints secrets, once: how to sign in and call the API.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { email as address } from '../../functions/iam/members/user-schemas.ts';
import { displayName } from '../../functions/shared/schemas.ts';
import { onCloudflare } from './cloudflare.ts';
import { readDeployConfig } from './deploy-config.ts';
import {
  deployedAccess,
  type IdentityAccess,
  localAccess,
  NotVerified,
  newOrganization,
} from './new-organization.ts';
import { defaultConfig, root } from './project.ts';
import { stackDatabases } from './stack.ts';
import { Stop } from './tools.mjs';

const USAGE =
  'Usage: npm run organization -- --name NAME --owner-email ADDRESS [--new-password] [--deployed]';

async function accessTo(deployed: boolean): Promise<IdentityAccess> {
  const config = resolve(root, process.env.LATCHKEY_CONFIG || defaultConfig);
  if (deployed) {
    const folder = join(root, '.deploy');
    if (!existsSync(join(folder, 'wrangler.json')))
      throw new Stop('Nothing has been deployed from here. Run npm run deploy first.');
    const { identity } = await readDeployConfig(config);
    // wrangler's own output would hide the password.
    return deployedAccess(
      identity,
      folder,
      onCloudflare(config, () => undefined),
    );
  }
  const state = resolve(root, process.env.LATCHKEY_STATE || '.latchkey');
  const database = (await stackDatabases(state, config)).find(({ binding }) => binding === 'IDENTITY');
  if (!database || !existsSync(database.file))
    throw new Stop(`There is no stack in ${state}. Run npm start first.`);
  return localAccess(database.file);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      name: { type: 'string' },
      'owner-email': { type: 'string' },
      'new-password': { type: 'boolean', default: false },
      deployed: { type: 'boolean', default: false },
    },
  });
  const name = displayName.safeParse(values.name);
  const email = address.safeParse(values['owner-email']);
  if (!name.success || !email.success) throw new Stop(USAGE);
  const access = await accessTo(values.deployed);
  const made = await newOrganization(access, {
    name: name.data,
    email: email.data,
    newPassword: values['new-password'],
  });
  console.log(`Created ${name.data} with a project. The secrets below are not shown again.

Organization    ${made.organization_id}
Project         ${made.project_id}
Sign in as      ${made.email}
Password        ${made.password ?? 'unchanged: this person already has one'}
Access key      ${made.access_key}
Secret key      ${made.secret_key}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Stop || error instanceof NotVerified ? error.message : error);
  process.exitCode = 1;
}
