/**
 * Manual runs of samples that tests cannot run, because they need more than Node and curl. A test compares each digest with
 * its page: run a sample again after you change it. Tabs without a manual run or a test are not shown.
 */

export interface Tried {
  /** The page: a file in how-to. */
  page: string;
  /** The label of the tab. */
  client: string;
  versions: string;
  /** `YYYY-MM-DD` */
  on: string;
  /** The first 12 hexadecimal digits of the SHA-256 of the tab's code blocks, concatenated. */
  digest: string;
}

const PYTHON = 'Python 3.11.7';
const GO = 'Go 1.26.8';
const SDK = 'AWS SDK for Go v2 1.48.0';
const CLI = 'AWS CLI 1.46.3';
const on = '2026-11-27';

export const tried: readonly Tried[] = [
  {
    page: 'connect-queues',
    client: 'Python',
    versions: `boto3 1.44.8 and ${PYTHON}`,
    on,
    digest: 'b9d39bb6c031',
  },
  { page: 'connect-queues', client: 'Go', versions: `${SDK} and ${GO}`, on, digest: '9068c973c75d' },
  { page: 'connect-queues', client: 'AWS CLI', versions: CLI, on, digest: 'a8becd6c2981' },
  {
    page: 'connect-topics',
    client: 'Python',
    versions: `boto3 1.44.8 and ${PYTHON}`,
    on,
    digest: 'b0f5ce9d4f3e',
  },
  { page: 'connect-topics', client: 'Go', versions: `${SDK} and ${GO}`, on, digest: 'a5d7b6061a20' },
  { page: 'connect-topics', client: 'AWS CLI', versions: CLI, on, digest: '4067b2e8c473' },
  {
    page: 'connect-nats',
    client: 'Python',
    versions: `nats-py 2.16.0, nkeys 0.2.1 and ${PYTHON}`,
    on,
    digest: '78c4188ac439',
  },
  { page: 'connect-nats', client: 'Go', versions: `nats.go 1.55.0 and ${GO}`, on, digest: 'ca6fa52b2d62' },
  {
    page: 'own-key',
    client: 'Python',
    versions: `nkeys 0.2.1 and ${PYTHON}`,
    on: '2026-11-28',
    digest: '7459993a73e2',
  },
  {
    page: 'own-key',
    client: 'Go',
    versions: `nkeys 0.4.17 and ${GO}`,
    on: '2026-11-28',
    digest: '9d10fbf28e1f',
  },
  {
    page: 'own-key',
    client: 'nsc',
    versions: 'nsc 2.15.0 and nk of nkeys 0.4.17',
    on: '2026-11-28',
    digest: 'ead902803b25',
  },
  {
    page: 'terraform',
    client: 'Terraform',
    versions: 'Terraform 1.11.4 and the provider as it was on 21 August 2026',
    on: '2026-11-27',
    digest: '091ec89dbe86',
  },
  {
    page: 'terraform',
    client: 'scw CLI',
    versions: 'the scw CLI as it was on 21 August 2026 and natscli 0.5.1',
    on: '2026-11-27',
    digest: 'df1941ecf9f5',
  },
];
