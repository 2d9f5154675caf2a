/**
 * What the audit trail has rows about, and what official clients call it: `method_name`, `product_name`, `service_name`
 * and `resources[].type` of Scaleway Audit Trail v1alpha1. Rows keep our own two words, the resource and the action.
 */

/** An API, as events name it. */
interface Api {
  product: 'mnq' | 'iam' | 'account';
  service: string;
}

const MNQ: Api = { product: 'mnq', service: 'mnq.v1beta1' };
const IAM: Api = { product: 'iam', service: 'iam.v1alpha1' };
const ACCOUNT: Api = { product: 'account', service: 'account.v3' };

interface Resource {
  api: Api;
  /** The noun of the API's methods: `CreateNatsAccount`. */
  noun: string;
  /** Scaleway's type, where it has one. */
  type?: string;
}

/** The resources of rows → what official clients call them. */
export const RESOURCES = {
  nats_accounts: { api: MNQ, noun: 'NatsAccount' },
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
} as const satisfies Record<string, Resource>;

type Name = keyof typeof RESOURCES;
const NAMES = Object.keys(RESOURCES) as Name[];
const resourceOf = (name: string): Resource | undefined =>
  Object.hasOwn(RESOURCES, name) ? RESOURCES[name as Name] : undefined;

/** The verbs of the API's methods: a revoked credential is a deleted one there. */
const VERBS: Record<string, string> = {
  create: 'Create',
  update: 'Update',
  delete: 'Delete',
  revoke: 'Delete',
  activate: 'Activate',
  deactivate: 'Deactivate',
};

/** The values that the filter `resource_type` takes: our resources and Scaleway's types. */
export const RESOURCE_TYPES = [...NAMES, ...NAMES.flatMap((name) => resourceOf(name)?.type ?? [])] as [
  string,
  ...string[],
];

/** What official clients call an event. A resource that is not in the table goes by its own name. */
export function officialNames(action: string, resource: string) {
  const found = resourceOf(resource);
  return {
    method_name: `${VERBS[action] ?? action}${found?.noun ?? resource}`,
    product_name: found?.api.product ?? '',
    service_name: found?.api.service ?? '',
    type: found?.type ?? resource,
  };
}

/** The filters of a query that choose by the names of official clients. */
export interface OfficialFilter {
  resource_type?: string | undefined;
  method_name?: string | undefined;
  product_name?: string | undefined;
  service_name?: string | undefined;
}

/** An action and a resource that rows can have. */
export interface Kind {
  action: string;
  resource: string;
}

/** The kinds of rows that these filters choose, undefined when they restrict nothing. None match an unknown name. */
export function kindsOf(filter: OfficialFilter): Kind[] | undefined {
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
