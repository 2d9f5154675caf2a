/**
 * Creds from the API with a NATS client on real nats-servers: they connect, publish, subscribe and stream, within
 * their account and region only.
 */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, describe, expect, it } from 'vitest';
import { api, useStack } from './local-stack.ts';
import { access, connectWith, newAccount, newCreds } from './nats-client.ts';

const local = useStack();
const REGIONS = ['fr-par', 'nl-ams'] as const;
const open: NatsConnection[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
});

const urlOf = (region: string) => local.stack.nats.get(region)?.url ?? '';

async function enter(region: string, content: string): Promise<NatsConnection> {
  const connection = await connectWith(urlOf(region), content);
  open.push(connection);
  return connection;
}

/** Returns an iterator over the messages of a connection. */
function messagesOf(connection: NatsConnection): string[] {
  const heard: string[] = [];
  connection.subscribe('orders.>', {
    callback: (_error, message) => {
      heard.push(`${message.subject} ${message.string()}`);
    },
  });
  return heard;
}

describe.each(REGIONS)('creds of %s', (region) => {
  it('publish and subscribe within their account, isolated from other accounts', async () => {
    const one = await newCreds(local, region);
    const same = await newCreds(local, region, one.account);
    const other = await newCreds(local, region);
    const [sender, receiver, stranger] = await Promise.all([
      enter(region, one.content),
      enter(region, same.content),
      enter(region, other.content),
    ]);
    const heard = messagesOf(receiver);
    const leaked = messagesOf(stranger);
    await Promise.all([receiver.flush(), stranger.flush()]);
    sender.publish('orders.new', 'hello');
    await sender.flush();
    await expect.poll(() => heard).toEqual(['orders.new hello']);
    // The other tenant's own message arrives after any that leaked to it.
    stranger.publish('orders.own', 'mine');
    await expect.poll(() => leaked).toEqual(['orders.own mine']);
  });

  it('create a JetStream stream and read it, isolated from other accounts', async () => {
    const one = await newCreds(local, region);
    const connection = await enter(region, one.content);
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'ORDERS', subjects: ['orders.>'] });
    for (let i = 0; i < 3; i++) await jetstream(connection).publish(`orders.${i}`, `payload ${i}`);
    expect((await manager.streams.info('ORDERS')).state.messages).toBe(3);
    const again = await enter(region, (await newCreds(local, region, one.account)).content);
    const message = await (await jetstreamManager(again)).streams.getMessage('ORDERS', { seq: 2 });
    expect(message?.string()).toBe('payload 1');
    const other = await enter(region, (await newCreds(local, region)).content);
    expect(await (await jetstreamManager(other)).streams.list().next()).toEqual([]);
  });

  it('are rejected in the other region', async () => {
    const { content } = await newCreds(local, region);
    const elsewhere = REGIONS.find((other) => other !== region) ?? '';
    expect(await access(urlOf(elsewhere), content)).toBe('refused');
    expect(await access(urlOf(region), content)).toBe('yes');
  });

  it('that combine two files are rejected', async () => {
    const [one, other] = [await newCreds(local, region), await newCreds(local, region)];
    const seedOf = (text: string) => /SU[A-Z2-7]{56}/.exec(text)?.[0] ?? '';
    const mixed = one.content.replace(seedOf(one.content), seedOf(other.content));
    expect(await access(urlOf(region), mixed)).toBe('refused');
  });
});

describe.each(REGIONS)('creds of %s that are disabled', (region) => {
  const change = (id: string, operation: string) =>
    fetch(`${local.stack.origin}/mnq/v1beta1/regions/${region}/nats-credentials/${id}/${operation}`, {
      method: 'POST',
      headers: { 'X-Auth-Token': local.owner.secret_key, 'Content-Type': 'application/json' },
      body: '{}',
    });

  it('are disconnected before the response, refused, and accepted again when they are enabled', async () => {
    const one = await newCreds(local, region);
    const bystander = await enter(region, (await newCreds(local, region, one.account)).content);
    const connection = await connectWith(urlOf(region), one.content, { reconnect: false });
    const closed = connection.closed();
    const disabled = await change(one.id, 'disable');
    expect(disabled.headers.get('Latchkey-Enforcement')).toBe('enforced; servers=1');
    expect(disabled.headers.get('Latchkey-Receipt')).toMatch(/^connections=1;/);
    await closed;
    expect(await access(urlOf(region), one.content)).toBe('refused');
    const enabled = await change(one.id, 'enable');
    expect(enabled.headers.get('Latchkey-Enforcement')).toBe('enforced; servers=1');
    expect(await access(urlOf(region), one.content)).toBe('yes');
    expect(bystander.isClosed()).toBe(false);
  });

  it('stay refused when they are revoked meanwhile', async () => {
    const one = await newCreds(local, region);
    await change(one.id, 'disable');
    const path = `/mnq/v1beta1/regions/${region}/nats-credentials/${one.id}`;
    await fetch(local.stack.origin + path, {
      method: 'DELETE',
      headers: { 'X-Auth-Token': local.owner.secret_key },
    });
    expect((await change(one.id, 'enable')).status).toBe(404);
    expect(await access(urlOf(region), one.content)).toBe('refused');
  });
});

it('creds that are rotated connect with both files until the rotation is finished, which disconnects the old one', async () => {
  const region = 'fr-par';
  const one = await newCreds(local, region);
  const path = `/mnq/v1beta1/regions/${region}/nats-credentials/${one.id}/rotate`;
  const { credentials } = await api<{ credentials: { content: string } }>(local, 'POST', path, {});
  const [old, fresh] = await Promise.all([
    connectWith(urlOf(region), one.content),
    enter(region, credentials.content),
  ]);
  const closed = old.closed();
  await api(local, 'POST', `${path}/finish`);
  await closed;
  expect(await access(urlOf(region), one.content)).toBe('refused');
  expect(await access(urlOf(region), credentials.content)).toBe('yes');
  await fresh.flush();
});

it('creds are disconnected when they expire, and refused afterwards', async () => {
  const region = 'fr-par';
  const account = await newAccount(local, region);
  const made = await api<{ credentials: { content: string }; expires_at: string }>(
    local,
    'POST',
    `/mnq/v1beta1/regions/${region}/nats-credentials`,
    { nats_account_id: account, expires_at: new Date(Date.now() + 3000).toISOString() },
  );
  const connection = await connectWith(urlOf(region), made.credentials.content, { reconnect: false });
  await connection.closed();
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(made.expires_at));
  await expect.poll(() => access(urlOf(region), made.credentials.content)).toBe('refused');
});
