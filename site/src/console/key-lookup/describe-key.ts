/** Describes a key that was looked up. */

import { type Found, natsAccounts, projects } from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import { ACCESS_KEY_PRODUCTS, type AccessKeyProductId } from '../../credentials/access-key/products.ts';
import { accessLevel } from '../../credentials/access-level.ts';
import { credentialPage } from '../../credentials/permalink.ts';
import { regionLabel } from '../../workspace/region-label.ts';
import { accountPage } from '../../workspace/selection.ts';

export interface KeySummary {
  name: string;
  /** "credentials for Queues, in Paris". */
  about: string;
  facts: [name: string, value: string][];
  /**
   * The time of the last use in RFC 3339 format, or null if never. Undefined if the list of connected clients is shown
   * instead.
   */
  used?: string | null;
  /** Its page in the console. */
  href: string;
  revocable: boolean;
}

/** Loads the names of the project and the account that a key belongs to. */
export async function describeKey(found: Found): Promise<KeySummary> {
  const { region, project_id: id } = found;
  const project = await fetchResult(() => projects[':project_id'].$get({ param: { project_id: id } }));
  const where: [string, string][] = region ? [['Region', `${regionLabel(region)} (${region})`]] : [];
  const facts: [string, string][] = [...where, ['Project', project.ok ? project.body.name : id]];
  const at = { region: region ?? '', project: id };
  if (found.product === 'api_key') return describeApiKey(found, facts);
  return found.product === 'nats'
    ? describeNats(found, facts, at.region)
    : describeAccessKey(found, found.product, facts, at);
}

type KeyFacts = KeySummary['facts'];

function describeApiKey({ api_key: key }: Found, facts: KeyFacts): KeySummary {
  const name = key?.access_key ?? '';
  const bearer = key?.application_id ? 'application' : 'member';
  return {
    name,
    about: `an API key of ${bearer === 'member' ? 'a member' : 'an application'}, for all regions.`,
    used: key?.last_used_at ?? null,
    facts: [
      ['What', `API key of ${bearer === 'member' ? 'a member' : 'an application'}`],
      ...(key?.description ? [['Description', key.description] as [string, string]] : []),
      ...facts.map(([fact, value]): [string, string] => [
        fact === 'Project' ? 'Default project' : fact,
        value,
      ]),
    ],
    href: '/console/iam/#api-keys',
    revocable: true,
  };
}

async function describeNats(found: Found, facts: KeyFacts, region: string): Promise<KeySummary> {
  const { credentials, nats_account: itself } = found;
  if (itself) {
    return {
      name: itself.name,
      about: '',
      facts: [['What', 'NATS account'], ['Name', itself.name], ...facts],
      href: accountPage(region, itself.id),
      revocable: false,
    };
  }
  const id = credentials && 'nats_account_id' in credentials ? credentials.nats_account_id : '';
  const account = await fetchResult(() =>
    natsAccounts[':nats_account_id'].$get({ param: { region, nats_account_id: id } }),
  );
  const of = account.ok ? account.body.name : id;
  return {
    name: credentials?.name ?? '',
    about: `of the NATS account ${of}, in the region ${regionLabel(region)}.`,
    facts: [['What', 'NATS credentials'], ['Name', credentials?.name ?? ''], ['NATS account', of], ...facts],
    href: credentialPage('nats', { id: credentials?.id ?? '', region }),
    revocable: true,
  };
}

function describeAccessKey(
  { credentials }: Found,
  product: AccessKeyProductId,
  facts: KeyFacts,
  at: { region: string; project: string },
): KeySummary {
  const { label } = ACCESS_KEY_PRODUCTS[product];
  const permissions = credentials && 'permissions' in credentials ? credentials.permissions : {};
  return {
    name: credentials?.name ?? '',
    about: `credentials for ${label}, in the region ${regionLabel(at.region)}.`,
    used: credentials?.last_used_at ?? null,
    facts: [
      ['What', `Credentials for ${label}`],
      ['Name', credentials?.name ?? ''],
      ['Access level', accessLevel(permissions)],
      ...facts,
    ],
    href: credentialPage(product, { id: credentials?.id ?? '', region: at.region }),
    revocable: true,
  };
}
