/**
 * Creates creds as if at another time, signed with the account's own key from the state folder. Server clocks cannot
 * be changed, so creds that should be hours old are dated back.
 */

import type { NatsAccount } from '../../db/region/accounts.ts';
import { signingKeyOf } from '../../functions/nats/accounts.ts';
import { credsText } from '../../functions/nats/creds.ts';
import { userJwt } from '../../functions/nats/jwt.ts';
import { createKey } from '../../functions/nats/keys.ts';
import { regionBinding } from '../../functions/shared/regions.ts';
import { ensureSecrets } from '../stack/secrets.ts';
import type { LocalStack } from './local-stack.ts';
import type { Creds } from './nats-client.ts';

/**
 * When the creds were created, in seconds before now, and for how many seconds they are valid; without expiry if omitted.
 * `as` is another account that they claim to belong to.
 */
export interface Dates {
  age: number;
  life?: number;
  as?: string;
}

/** Creates creds of an account, live or deleted, that are not in the database. */
export async function credsOf(
  local: LocalStack,
  { account, region }: Pick<Creds, 'account' | 'region'>,
  { age, life, as = account }: Dates,
): Promise<Creds & { key: string; issuedAt: number; expiresAt: number | null }> {
  const database = await local.stack.database(regionBinding('REGION', region));
  const row = await database
    .prepare(
      'select id, sealed_signing_seed as sealedSigningSeed, sealing_key_id as sealingKeyId from nats_accounts where id = ?',
    )
    .bind(account)
    .first<NatsAccount>();
  if (!row) throw new Error(`no account ${account}`);
  const { worker } = await ensureSecrets(local.state, [region]);
  const issuer = await signingKeyOf(JSON.parse(worker.SEALING_KEYS ?? ''), region, row);
  const { publicKey, seed } = await createKey('user');
  const issuedAt = Math.floor(Date.now() / 1000) - age;
  const expiresAt = life === undefined ? undefined : issuedAt + life;
  const jwt = await userJwt({ publicKey, name: 'past', issuer, issuerAccount: as, issuedAt, expiresAt });
  const id = crypto.randomUUID();
  return {
    id,
    account,
    region,
    content: credsText(jwt, seed),
    key: publicKey,
    issuedAt,
    expiresAt: expiresAt ?? null,
  };
}

/** Creates creds of an account that are in the database as if the API had created them at that time. */
export async function pastCreds(
  local: LocalStack,
  account: Pick<Creds, 'account' | 'region'>,
  issue: Dates,
): Promise<Creds> {
  const creds = await credsOf(local, account, issue);
  const database = await local.stack.database(regionBinding('REGION', account.region));
  const expiresAt = creds.expiresAt === null ? null : creds.expiresAt * 1000;
  await database.batch([
    database
      .prepare(`insert into credentials (id, product, organization_id, project_id, nats_account_id, name, key, checksum,
          created_at, updated_at, expires_at)
        select ?, 'nats', organization_id, project_id, id, 'past', ?, '', ?, ?, ? from nats_accounts where id = ?`)
      .bind(creds.id, creds.key, creds.issuedAt * 1000, creds.issuedAt * 1000, expiresAt, creds.account),
    database
      .prepare(`insert into counts (scope, resource, value)
        select scope.value, 'nats', 1 from nats_accounts, json_each(json_array(project_id, nats_accounts.id)) as scope
        where nats_accounts.id = ? on conflict (scope, resource) do update set value = value + 1`)
      .bind(creds.account),
  ]);
  return creds;
}
