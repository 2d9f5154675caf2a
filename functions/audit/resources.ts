/**
 * Maps the audit trail's resources and actions to Scaleway Audit Trail v1alpha1: `method_name`, `product_name`,
 * `service_name` and `resources[].type`. Rows store only Latchkey's own two values.
 */
import type { AccessKeyProductId, ProductId } from '../../db/products.ts';

interface Api {
  product: 'mnq' | 'iam' | 'account';
  service: string;
}

const MNQ: Api = { product: 'mnq', service: 'mnq.v1beta1' };
const IAM: Api = { product: 'iam', service: 'iam.v1alpha1' };
const ACCOUNT: Api = { product: 'account', service: 'account.v3' };

interface Resource {
  api: Api;
  /** The noun in method names: `CreateNatsAccount`. */
  noun: string;
  /** Scaleway's type, if there is one. */
  type?: string;
}

/** Resource of a row → names in Scaleway's API. */
export const RESOURCES = {
  nats_accounts: { api: MNQ, noun: 'NatsAccount' },
  nats_roles: { api: MNQ, noun: 'NatsRole' },
  nats_credentials: { api: MNQ, noun: 'NatsCredentials' },
  sqs: { api: MNQ, noun: 'Sqs' },
  sqs_credentials: { api: MNQ, noun: 'SqsCredentials' },
  sns: { api: MNQ, noun: 'Sns' },
  sns_credentials: { api: MNQ, noun: 'SnsCredentials' },
  projects: { api: ACCOUNT, noun: 'Project', type: 'account_project' },
  organizations: { api: ACCOUNT, noun: 'Organization', type: 'account_organization' },
  users: { api: IAM, noun: 'User', type: 'iam_user' },
  invitations: { api: IAM, noun: 'Invitation' },
  applications: { api: IAM, noun: 'Application', type: 'iam_application' },
  api_keys: { api: IAM, noun: 'APIKey', type: 'iam_api_key' },
  policies: { api: IAM, noun: 'Policy', type: 'iam_policy' },
  passwords: { api: IAM, noun: 'Password' },
  sessions: { api: IAM, noun: 'JWT' },
} as const satisfies Record<string, Resource> &
  Record<`${ProductId}_credentials` | AccessKeyProductId, Resource>;

export type AuditResource = keyof typeof RESOURCES;
const NAMES = Object.keys(RESOURCES) as AuditResource[];
const resourceOf = (name: string): Resource | undefined =>
  Object.hasOwn(RESOURCES, name) ? RESOURCES[name as AuditResource] : undefined;

/** Action → verb in method names. Revoking credentials is `Delete` there. */
const VERBS: Record<string, string> = {
  create: 'Create',
  update: 'Update',
  delete: 'Delete',
  revoke: 'Delete',
  disable: 'Disable',
  enable: 'Enable',
  rotate: 'Rotate',
  finish_rotation: 'FinishRotationOf',
  cancel_rotation: 'CancelRotationOf',
  activate: 'Activate',
  deactivate: 'Deactivate',
};

/** The values of the filter `resource_type`: Latchkey's resources and Scaleway's types. */
export const RESOURCE_TYPES = [...NAMES, ...NAMES.flatMap((name) => resourceOf(name)?.type ?? [])] as [
  string,
  ...string[],
];

/** Returns the names of an event in Scaleway's API. A resource that is not in the table keeps its own name. */
export function officialNames(action: string, resource: string) {
  const found = resourceOf(resource);
  return {
    method_name: `${VERBS[action] ?? action}${found?.noun ?? resource}`,
    product_name: found?.api.product ?? '',
    service_name: found?.api.service ?? '',
    type: found?.type ?? resource,
  };
}

/** Filters that use Scaleway's names. */
export interface OfficialFilter {
  resource_type?: string | undefined;
  method_name?: string | undefined;
  product_name?: string | undefined;
  service_name?: string | undefined;
}

/** An action and resource that a row can have. */
export interface EventKind {
  action: string;
  resource: string;
}

/** Returns the kinds of rows that the filters select: undefined if they restrict nothing, empty for an unknown name. */
export function kindsOf(filter: OfficialFilter): EventKind[] | undefined {
  const wanted = Object.entries(filter).filter(([, value]) => value !== undefined);
  if (wanted.length === 0) return undefined;
  const kinds = NAMES.flatMap((resource) => Object.keys(VERBS).map((action) => ({ action, resource })));
  return kinds.filter(({ action, resource }) => {
    const { type, ...names } = officialNames(action, resource);
    return wanted.every(([name, value]) =>
      name === 'resource_type'
        ? value === resource || value === type
        : names[name as 'method_name'] === value,
    );
  });
}
