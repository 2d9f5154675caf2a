/**
 * Creds from the API, in the hands of a real NATS client on the real nats-servers: they connect, publish, subscribe and
 * stream, within their account and their region only.
 */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { afterEach, describe, expect, it } from 'vitest';
import { api, useStack } from './local-stack.ts';

const local = useStack();
const REGIONS = ['fr-par', 'nl-ams'] as const;
const open: NatsConnection[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
});

/** Connects to a region's server with the text of a `.creds` file. */
async function join(region: string, content: string): Promise<NatsConnection> {
  const connection = await connect({
    servers: local.stack.nats.get(region)?.url ?? '',
    authenticator: credsAuthenticator(new TextEncoder().encode(content)),
    reconnect: false,
    timeout: 5_000,
  });
  open.push(connection);
  return connection;
}

async function newCreds(region: string, account?: string): Promise<{ account: string; content: string }> {
  const at = `/mnq/v1beta1/regions/${region}`;
  const id =
    account ??
    (await api<{ id: string }>(local, 'POST', `${at}/nats-accounts`, { project_id: local.owner.project_id }))
      .id;
  const made = await api<{ credentials: { content: string } }>(local, 'POST', `${at}/nats-credentials`, {
    nats_account_id: id,
    name: '日本語 🔑',
  });
  return { account: id, content: made.credentials.content };
}

/** What a connection hears, as it comes. */
function listen(connection: NatsConnection): string[] {
  const heard: string[] = [];
  connection.subscribe('orders.>', {
    callback: (_error, message) => {
      heard.push(`${message.subject} ${message.string()}`);
    },
  });
  return heard;
}

describe.each(REGIONS)('creds of %s', (region) => {
  it('publish and subscribe within their account, and no other account hears it', async () => {
    const one = await newCreds(region);
    const same = await newCreds(region, one.account);
    const other = await newCreds(region);
    const [sender, receiver, stranger] = await Promise.all([
      join(region, one.content),
      join(region, same.content),
      join(region, other.content),
    ]);
    const heard = listen(receiver);
    const leaked = listen(stranger);
    await Promise.all([receiver.flush(), stranger.flush()]);
    sender.publish('orders.new', 'hello');
    await sender.flush();
    await expect.poll(() => heard).toEqual(['orders.new hello']);
    // The stranger's own message comes after whatever reached it before.
    stranger.publish('orders.own', 'mine');
    await expect.poll(() => leaked).toEqual(['orders.own mine']);
  });

  it('make a JetStream stream and read it back, and no other account sees it', async () => {
    const one = await newCreds(region);
    const connection = await join(region, one.content);
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'ORDERS', subjects: ['orders.>'] });
    for (let i = 0; i < 3; i++) await jetstream(connection).publish(`orders.${i}`, `payload ${i}`);
    expect((await manager.streams.info('ORDERS')).state.messages).toBe(3);
    const again = await join(region, (await newCreds(region, one.account)).content);
    const message = await (await jetstreamManager(again)).streams.getMessage('ORDERS', { seq: 2 });
    expect(message?.string()).toBe('payload 1');
    const other = await join(region, (await newCreds(region)).content);
    expect(await (await jetstreamManager(other)).streams.list().next()).toEqual([]);
  });

  it('are refused in the other region', async () => {
    const { content } = await newCreds(region);
    const elsewhere = REGIONS.find((other) => other !== region) ?? '';
    await expect(join(elsewhere, content)).rejects.toThrow(/Authorization Violation/i);
    await (await join(region, content)).flush();
  });

  it('that were altered or made up are refused', async () => {
    const { content } = await newCreds(region);
    const { content: other } = await newCreds(region);
    const seedOf = (text: string) => /SU[A-Z2-7]{56}/.exec(text)?.[0] ?? '';
    await expect(join(region, content.replace(seedOf(content), seedOf(other)))).rejects.toThrow(
      /Authorization Violation/i,
    );
  });
});
