/**
 * Storage quotas on a real nats-server: no account or guest takes storage promised to others; an account without room
 * for JetStream is rejected; and accounts from before the limits get them.
 */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { accountJwt } from '../../functions/nats/jwt.ts';
import { importSeed } from '../../functions/nats/keys.ts';
import { ensureSecrets } from '../stack/secrets.ts';
import { useStack } from './local-stack.ts';
import { accountJwtOf, bystander, claimsOf, connectWith, heldJwt, pushJwt } from './nats-client.ts';
import { newGuestTenant, newTenant, type Tenant } from './nats-tenants.ts';

const REGION = 'fr-par';
/** The region in which no test uses up the storage. */
const ELSEWHERE = 'nl-ams';
const MIB = 1024 ** 2;
const STORAGE = 64 * MIB;
const ACCOUNT = 16 * MIB;
const GUEST = 8 * MIB;

const local = useStack({
  vars: ({ REGIONS, ...own }) => ({
    ...own,
    NATS: { account_limits: { disk: ACCOUNT, streams: 8, consumers: 6 }, guest_limits: { disk: GUEST } },
    REGIONS: Object.fromEntries(
      Object.entries(REGIONS).map(([name, region]) => [name, { ...region, nats_storage: STORAGE }]),
    ),
  }),
  nats: (settings) => ({ ...settings, storage: STORAGE }),
});
const url = (region = REGION) => local.stack.nats.get(region)?.url ?? '';
const accounts = `/mnq/v1beta1/regions/${REGION}/nats-accounts`;

/**
 * Creates streams that reserve all available storage, halving the size on each failure. Resolves to the reserved
 * size.
 */
async function reserveAll(connection: NatsConnection, storage: 'file' | 'memory'): Promise<number> {
  const manager = await jetstreamManager(connection);
  let got = 0;
  for (let size = 2 * STORAGE; size >= MIB; size /= 2) {
    const name = `GRAB_${storage}_${size}`;
    const added = manager.streams.add({ name, subjects: [name], storage, max_bytes: size });
    if (
      await added.then(
        () => true,
        () => false,
      )
    )
      got += size;
  }
  return got;
}

/** Sends messages of 64 KiB until the server rejects one. Resolves to the number of accepted bytes. */
async function fillUp(connection: NatsConnection): Promise<number> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'FLOOD', subjects: ['flood'] });
  const message = new Uint8Array(MIB / 16);
  for (let i = 0; i < (2 * STORAGE) / message.length; i++) {
    const taken = await jetstream(connection)
      .publish('flood', message)
      .then(
        () => true,
        () => false,
      );
    if (!taken) break;
  }
  return (await manager.streams.info('FLOOD')).state.bytes;
}

/** Expects that a stream stores a message and returns it. */
async function expectJetStream({ content }: Tenant): Promise<void> {
  const connection = await connectWith(url(), content);
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'PROOF', subjects: ['proof'], max_bytes: MIB });
  await jetstream(connection).publish('proof', 'kept');
  expect((await manager.streams.getMessage('PROOF', { seq: 1 }))?.string()).toBe('kept');
  await manager.streams.delete('PROOF');
  await connection.close();
}

describe('the storage quota of a region', () => {
  it('cannot be exceeded by an account or a guest, by reserving or by filling it', async () => {
    const [taker, filler, victim] = [
      await newTenant(local, REGION),
      await newGuestTenant(local, REGION),
      await newTenant(local, REGION),
    ];
    const taking = await connectWith(url(), taker.content);
    expect(await reserveAll(taking, 'file')).toBeLessThanOrEqual(ACCOUNT);
    expect(await reserveAll(taking, 'memory')).toBe(0);
    const filling = await connectWith(url(), filler.content);
    const filled = await fillUp(filling);
    expect(filled).toBeGreaterThan(GUEST / 2);
    expect(filled).toBeLessThanOrEqual(GUEST);
    expect(await reserveAll(filling, 'memory')).toBe(0);
    await expectJetStream(victim);

    // Room for 16 + 8 of the remaining 24 MiB.
    const [last, guest] = [await newTenant(local, REGION), await newGuestTenant(local, REGION)];
    await expectJetStream(last);
    await expectJetStream(guest);
    const refused = await guest.call('POST', accounts, { project_id: guest.projectId });
    expect([refused.status, refused.body.precondition]).toEqual([412, 'unknown_precondition']);
    expect(local.logged.splice(0).join()).toContain('nats_storage');

    // Storage reserved by deleted accounts is free, on the server too.
    for (const { call, account } of [last, taker, victim]) {
      const removal = await call('DELETE', `${accounts}/${account}`);
      expect(removal.headers.get('Latchkey-Enforcement')).toBe('enforced; servers=1');
    }
    for (let i = 0; i < 3; i++) await expectJetStream(await newTenant(local, REGION));
    await Promise.all([taking.close(), filling.close()]);
  });
});

it('streams, buckets and object stores work within the limits', async () => {
  const connection = await connectWith(url(ELSEWHERE), (await newTenant(local, ELSEWHERE)).content);
  const manager = await jetstreamManager(connection);
  const stream = jetstream(connection);
  // Stream names and settings as in the clients' key-value and object stores.
  await manager.streams.add({
    name: 'KV_config',
    subjects: ['$KV.config.>'],
    max_msgs_per_subject: 5,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: true,
  });
  await manager.streams.add({
    name: 'OBJ_files',
    subjects: ['$O.files.C.>', '$O.files.M.>'],
    allow_direct: true,
    allow_rollup_hdrs: true,
  });
  await stream.publish('$KV.config.color', 'blue');
  await stream.publish('$O.files.C.1', 'chunk');
  expect((await manager.direct.getMessage('KV_config', { last_by_subj: '$KV.config.color' }))?.string()).toBe(
    'blue',
  );
  await manager.streams.purge('OBJ_files', { filter: '$O.files.C.1' });
  expect((await manager.streams.info('OBJ_files')).state.messages).toBe(0);

  // A watch: an ordered consumer, which clients keep in memory although the account can store nothing there.
  const watched = await (await stream.consumers.get('KV_config')).next({ expires: 5_000 });
  expect(watched?.string()).toBe('blue');
  await manager.consumers.add('KV_config', { durable_name: 'reader', ack_policy: 'explicit' });
  const read = await (await stream.consumers.get('KV_config', 'reader')).next({ expires: 5_000 });
  expect(await read?.ackAck()).toBe(true);
  const { limits } = await manager.getAccountInfo();
  expect(limits).toMatchObject({ max_storage: ACCOUNT, max_memory: 0, max_streams: 8, max_consumers: 6 });
  await connection.close();
});

describe('an account from before the limits', () => {
  it('gets them from the schedule, without losing a message or a connection', async () => {
    const tenant = await newTenant(local, ELSEWHERE);
    const connection = await connectWith(url(ELSEWHERE), tenant.content);
    const other = await bystander(url(ELSEWHERE), tenant.content);
    const { worker } = await ensureSecrets(local.state, [ELSEWHERE]);
    const { iat, nats } = claimsOf(await accountJwtOf(local, ELSEWHERE, tenant.account));
    const before = await accountJwt({
      id: tenant.account,
      issuer: await importSeed(worker.OPERATOR_SIGNING_SEED ?? ''),
      signingKeys: nats.signing_keys ?? [],
      issuedAt: iat,
      revocations: {},
    });
    await pushJwt(local, ELSEWHERE, tenant.account, before);
    const manager = await jetstreamManager(connection);
    expect((await manager.getAccountInfo()).limits.max_storage).toBe(-1);
    await manager.streams.add({ name: 'KEPT', subjects: ['kept'] });
    await jetstream(connection).publish('kept', 'kept');

    await local.stack.schedule();
    expect((await manager.getAccountInfo()).limits).toMatchObject({ max_storage: ACCOUNT, max_memory: 0 });
    expect((await manager.streams.getMessage('KEPT', { seq: 1 }))?.string()).toBe('kept');
    expect(await other.end()).toMatchObject({ gaps: 0, disconnects: 0 });
    expect(await heldJwt(local, ELSEWHERE, tenant.account)).toBe(
      await accountJwtOf(local, ELSEWHERE, tenant.account),
    );
    await connection.close();
  });
});
