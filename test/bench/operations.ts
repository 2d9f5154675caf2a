/**
 * The operations of the control plane as stories: what is created is read, changed and ended by the steps that follow.
 * Requests only; who sends them, and what they are compared with, is control-plane.ts's.
 */

/** One operation, performed on each target of its story. */
export interface Step {
  /** Also its name for the bare handler, where it stands in a path: letters and hyphens. */
  name: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the region's endpoint. */
  path(target: string): string;
  body?(target: string, pass: number): object;
  /** Each answer has the `id` of a new target of the steps that follow. */
  makes?: true;
  aim?: string;
}

/** Steps in their order. */
export interface Story {
  steps: readonly Step[];
  /** What it is told of, when no step makes it. */
  targets?: readonly string[];
  /** The id of what its targets are in, in each pass, where that is not the same in all. */
  within?: readonly string[];
  /** How often it is told in one pass. */
  repeats: number;
}

/** What the stories are about. */
export interface Scene {
  projectId: string;
  /** An account for each pass, so that no account's list of revocations grows long. */
  accounts: readonly string[];
  /** Projects without any product. */
  projects: readonly string[];
}

const READ = '≥ 0.75';
const WRITE = '≥ 0.65';

/** All of them, those that write to nats-servers last: some of that work goes on after the answer. */
export function storiesOf(scene: Scene): Story[] {
  const keyed = ['sqs', 'sns'].flatMap((product) => [
    keyedCredentials(product, scene.projectId),
    activation(product, scene.projects),
  ]);
  return [...keyed, natsCredentials(scene), natsAccounts(scene.projectId)];
}

function keyedCredentials(product: string, projectId: string): Story {
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

function activation(product: string, projects: readonly string[]): Story {
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

function natsCredentials({ projectId, accounts }: Scene): Story {
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

function natsAccounts(projectId: string): Story {
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
  return { name, method: 'POST', path: () => path, body, makes: true, aim: WRITE };
}

function reads(name: string, collection: string, query: string): Step[] {
  return [
    { name: `${name}-get`, method: 'GET', path: (id) => `${collection}/${id}`, aim: READ },
    { name: `${name}-list`, method: 'GET', path: () => collection + query, aim: READ },
  ];
}
