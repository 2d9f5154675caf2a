/** A region whose database file is destroyed while the Worker is down: only that region fails. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { signal } from '../stack/signal.ts';
import { stackDatabases } from '../stack/stack.ts';
import { ALL, activate } from './gateway-clients.ts';
import { api, useStack } from './local-stack.ts';

const local = useStack();
const MNQ = '/mnq/v1beta1';

const get = (path: string) =>
  fetch(local.stack.origin + path, { headers: { 'X-Auth-Token': local.owner.secret_key } });

it('a damaged region database makes the API, key lookup and the resolver return 503 with the region’s name; the other region works', async () => {
  const { project_id } = local.owner;
  await activate(local, 'nl-ams', project_id, ['sqs']);
  const body = { project_id, permissions: ALL };
  const key = await api<{ access_key: string }>(local, 'POST', `${MNQ}/regions/nl-ams/sqs-credentials`, body);
  const { id } = await api<{ id: string }>(local, 'POST', `${MNQ}/regions/fr-par/nats-accounts`, {
    project_id,
  });
  const found = (await stackDatabases(local.state)).find(({ binding }) => binding === 'REGION_FR_PAR');
  const file = found?.file ?? '';

  // The schema stays readable: every page after the first is overwritten, so that statements fail, not the start.
  const bytes = readFileSync(file);
  const pageSize = bytes.readUInt16BE(16);
  bytes.fill(0xa5, pageSize);
  signal(local.stack.pids().worker, 'SIGKILL');
  writeFileSync(file, bytes);
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
  await expect
    .poll(() =>
      fetch(`${local.stack.origin}/healthz`).then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(200);

  for (const path of [`${MNQ}/regions/fr-par/nats-accounts`, `/jwt/v1/fr-par/accounts/${id}`]) {
    const response = await get(path);
    expect([path, response.status, response.headers.get('Retry-After')]).toEqual([path, 503, '5']);
    expect(await response.json()).toMatchObject({ type: 'unavailable', resource: 'fr-par' });
  }
  const lookup = await get(`${MNQ}/lookup?key=${key.access_key}`);
  expect(await lookup.json()).toMatchObject({
    results: [{ region: 'nl-ams', credentials: { access_key: key.access_key } }],
    unavailable_regions: ['fr-par'],
  });
  expect((await get(`${MNQ}/regions/nl-ams/sqs-credentials`)).status).toBe(200);
  expect(await api(local, 'POST', `${MNQ}/regions/nl-ams/sqs-credentials`, body)).toMatchObject({
    project_id,
  });
  expect(local.logged.join('')).toMatch(/SQLITE_|malformed|internal error/);
  local.logged.splice(0);
});
