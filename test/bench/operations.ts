/**
 * The operations of the control plane as scenarios: later steps read, change and delete the resources of earlier
 * ones. This file defines only requests; control-plane.ts sends and compares them.
 */

/** One operation, performed on each target of its scenario. */
export interface Step {
  /** Also its name in a path of the bare handler: letters and hyphens. */
  name: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the region's endpoint. */
  path(target: string): string;
  body?(target: string, pass: number): object;
  /** Whether each response contains the `id` of a new target for the steps that follow. */
  creates?: true;
  aim?: string;
}

/** Steps in order. */
export interface Scenario {
  steps: readonly Step[];
  /** The targets, if no step creates them. */
  targets?: readonly string[];
  /** The ID of the targets' parent in each pass, if it differs between passes. */
  within?: readonly string[];
  /** The number of runs in one pass. */
  repeats: number;
}

/** The resources of the scenarios. */
export interface Scene {
  projectId: string;
  /** One account for each pass, so that no account's revocation list grows long. */
  accounts: readonly string[];
  /** Projects without active products. */
  projects: readonly string[];
}

const READ = '≥ 0.75';
const WRITE = '≥ 0.65';

/** All scenarios, those that write to nats-servers last: some of that work continues after the response. */
export function scenariosOf(scene: Scene): Scenario[] {
  const ofAccessKeys = ['sqs', 'sns'].flatMap((product) => [
    accessKeyCredentials(product, scene.projectId),
    activation(product, scene.projects),
  ]);
  return [...ofAccessKeys, natsCredentials(scene), natsAccounts(scene.projectId)];
}

function accessKeyCredentials(product: string, projectId: string): Scenario {
  const collection = `/${product}-credentials`;
  const permissions = { can_publish: true };
  return {
    repeats: 1,
    steps: [
      made(`${product}-create`, collection, () => ({ project_id: projectId, name: 'measured', permissions })),
      ...reads(product, collection, `?project_id=${projectId}`),
      {
        name: `${product}-update`,
        method: 'PATCH',
        path: (id) => `${collection}/${id}`,
        body: () => ({ permissions: { can_manage: true } }),
        aim: WRITE,
      },
      { name: `${product}-revoke`, method: 'DELETE', path: (id) => `${collection}/${id}`, aim: WRITE },
    ],
  };
}

function activation(product: string, projects: readonly string[]): Scenario {
  const change = (name: string): Step => ({
    name: `${product}-${name}`,
    method: 'POST',
    path: () => `/${name}-${product}`,
    body: (project_id) => ({ project_id }),
    aim: WRITE,
  });
  const info: Step = {
    name: `${product}-info`,
    method: 'GET',
    path: (id) => `/${product}-info?project_id=${id}`,
    aim: READ,
  };
  return { targets: projects, repeats: 6, steps: [change('activate'), info, change('deactivate')] };
}

function natsCredentials({ projectId, accounts }: Scene): Scenario {
  const collection = '/nats-credentials';
  const body = (_: string, pass: number) => ({ nats_account_id: accounts[pass], name: 'measured' });
  return {
    repeats: 1,
    within: accounts,
    steps: [
      made('nats-create', collection, body),
      ...reads('nats', collection, `?project_id=${projectId}`),
      { name: 'nats-revoke', method: 'DELETE', path: (id) => `${collection}/${id}` },
    ],
  };
}

function natsAccounts(projectId: string): Scenario {
  const collection = '/nats-accounts';
  return {
    repeats: 1,
    steps: [
      made('account-create', collection, () => ({ project_id: projectId, name: 'measured' })),
      ...reads('account', collection, `?project_id=${projectId}`),
      {
        name: 'account-rename',
        method: 'PATCH',
        path: (id) => `${collection}/${id}`,
        body: () => ({ name: 'renamed' }),
        aim: WRITE,
      },
      { name: 'account-delete', method: 'DELETE', path: (id) => `${collection}/${id}` },
    ],
  };
}

function made(name: string, path: string, body: (target: string, pass: number) => object): Step {
  return { name, method: 'POST', path: () => path, body, creates: true, aim: WRITE };
}

function reads(name: string, collection: string, query: string): Step[] {
  return [
    { name: `${name}-get`, method: 'GET', path: (id) => `${collection}/${id}`, aim: READ },
    { name: `${name}-list`, method: 'GET', path: () => collection + query, aim: READ },
  ];
}
