/**
 * NATS roles on real nats-servers: what a change does to open connections, limits, and what each preset allows a client to
 * do and what not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type Msg,
  type NatsConnection,
  PermissionViolationError,
} from '@nats-io/transport-node';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  INBOXES,
  PRESETS,
  type Preset,
  type PresetValues,
  permissionsOf,
} from '../../functions/nats/presets.ts';
import { MAX_ROLE_BYTES } from '../../functions/nats/role-template.ts';
import { regionBinding } from '../../functions/shared/regions.ts';
import { useStack } from './local-stack.ts';
import { access, accountJwtOf, claimsOf, heldJwt, newAccount, newCreds, userJwtOf } from './nats-client.ts';

const local = useStack();
const REGION = 'fr-par';
const open: NatsConnection[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
});

interface Role {
  id: string;
  [member: string]: unknown;
}
type Made = { id: string; credentials: { content: string } };

const url = () => local.stack.nats.get(REGION)?.url ?? '';

async function send(method: string, path: string, body?: unknown) {
  const response = await fetch(`${local.stack.origin}/mnq/v1beta1/regions/${REGION}${path}`, {
    method,
    headers: { 'X-Auth-Token': local.owner.secret_key, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const enforcement = response.headers.get('Latchkey-Enforcement');
  return { status: response.status, enforcement, body: text ? JSON.parse(text) : null };
}

const ENFORCED = 'enforced; servers=1';
const ALL = { allow: ['>'] };

async function newRole(account: string, fields: object = {}): Promise<Role> {
  const body = { nats_account_id: account, publish: ALL, subscribe: ALL, ...fields };
  const made = await send('POST', '/nats-roles', body);
  expect([made.status, made.enforcement]).toEqual([200, ENFORCED]);
  return made.body;
}

async function newUser(account: string, role: string): Promise<Made> {
  const made = await send('POST', '/nats-credentials', { nats_account_id: account, nats_role_id: role });
  expect([made.status, made.enforcement]).toEqual([200, ENFORCED]);
  return made.body;
}

/** A connection with what happened to it. */
interface Client {
  connection: NatsConnection;
  /** The permissions that it lacked, such as `publish orders`. */
  violations: string[];
  disconnects: number;
}

async function enter(content: string, options: Partial<ConnectionOptions> = {}): Promise<Client> {
  const connection = await connect({
    servers: url(),
    authenticator: credsAuthenticator(new TextEncoder().encode(content)),
    reconnect: false,
    timeout: 10_000,
    ...options,
  });
  open.push(connection);
  const client: Client = { connection, violations: [], disconnects: 0 };
  (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') client.disconnects++;
      if (status.type !== 'error' || !(status.error instanceof PermissionViolationError)) continue;
      client.violations.push(`${status.error.operation} ${status.error.subject}`);
    }
  })();
  return client;
}

/** Enters with a preset's recommended inbox, which only this user can subscribe to. */
const enterPrivately = ({ credentials: { content } }: Made) =>
  enter(content, { inboxPrefix: `_INBOX.${claimsOf(userJwtOf(content)).sub}` });

/** Whether the client may publish to the subject. Publishes an empty message. */
async function mayPublish({ connection, violations }: Client, subject: string): Promise<boolean> {
  const before = violations.length;
  connection.publish(subject);
  await connection.flush();
  await sleep(20);
  return violations.length === before;
}

/** Whether the client may subscribe to the subject. */
async function maySubscribe({ connection, violations }: Client, subject: string): Promise<boolean> {
  const before = violations.length;
  const subscription = connection.subscribe(subject, { callback: () => {} });
  await connection.flush();
  await sleep(20);
  if (!subscription.isClosed()) subscription.unsubscribe();
  return violations.length === before;
}

/** Collects the messages that the client receives on a subject. */
async function heardBy({ connection }: Client, subject: string, queue?: string): Promise<string[]> {
  const heard: string[] = [];
  connection.subscribe(subject, {
    ...(queue && { queue }),
    callback: (_error, message) => void heard.push(`${message.subject} ${message.string()}`),
  });
  await connection.flush();
  return heard;
}

describe('a change of a role', () => {
  it('reaches all of its connections, which continue with the new permissions, and no others', async () => {
    const account = await newAccount(local, REGION);
    const role = await newRole(account, { publish: { allow: ['old.>'] } });
    const other = await newRole(account, { publish: { allow: ['old.>'] } });
    const users = await Promise.all(Array.from({ length: 4 }, () => newUser(account, role.id)));
    const reconnect = { reconnect: true, reconnectTimeWait: 200 };
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, i) => enter(users[i % 4]?.credentials.content ?? '', reconnect)),
    );
    const full = await newCreds(local, REGION, account);
    const bystanders = [
      await enter((await newUser(account, other.id)).credentials.content, reconnect),
      await enter(full.content, reconnect),
      await enter((await newCreds(local, REGION)).content, reconnect),
    ];
    const heard = await heardBy(bystanders[1] as Client, '*.>');
    for (const [i, client] of clients.entries()) expect(await mayPublish(client, `old.${i}`)).toBe(true);
    const jwt = await heldJwt(local, REGION, account);

    // Nothing changes for servers: the same lists in another order, and a name.
    for (const same of [{ name: 'other' }, { publish: { allow: ['old.>', 'old.>'] } }, {}]) {
      expect(await send('PATCH', `/nats-roles/${role.id}`, same)).toMatchObject({ enforcement: ENFORCED });
    }
    await sleep(3000);
    expect([...clients, ...bystanders].map(({ disconnects }) => disconnects).filter(Boolean)).toEqual([]);
    expect(await heldJwt(local, REGION, account)).toBe(jwt);

    const changed = await send('PATCH', `/nats-roles/${role.id}`, { publish: { allow: ['new.>'] } });
    expect([changed.status, changed.enforcement]).toEqual([200, ENFORCED]);
    // The response came after the change: no message on an old subject can arrive any more.
    heard.length = 0;
    await expect
      .poll(() => clients.filter(({ disconnects }) => disconnects > 0).length, { timeout: 10_000 })
      .toBe(20);
    for (const [i, client] of clients.entries()) {
      await expect.poll(() => mayPublish(client, `new.${i}`), { timeout: 10_000 }).toBe(true);
      expect(await mayPublish(client, `old.${i}`)).toBe(false);
    }
    await expect.poll(() => new Set(heard).size).toBe(20);
    expect(heard.filter((line) => line.startsWith('old'))).toEqual([]);
    expect(bystanders.map(({ disconnects }) => disconnects)).toEqual([0, 0, 0]);
    expect(await mayPublish(bystanders[0] as Client, 'old.1')).toBe(true);
    // The push that follows after the settling time disconnects nobody again.
    await sleep(3000);
    expect(new Set(clients.map(({ disconnects }) => disconnects))).toEqual(new Set([1]));
  });

  it('does not cut other roles when a role is created or deleted', async () => {
    const account = await newAccount(local, REGION);
    const role = await newRole(account);
    const client = await enter((await newUser(account, role.id)).credentials.content, { reconnect: true });
    // Their ids sort before and after the first one.
    for (let i = 0; i < 6; i++) {
      const { id } = await newRole(account);
      expect(await send('DELETE', `/nats-roles/${id}`)).toMatchObject({ status: 204, enforcement: ENFORCED });
    }
    await sleep(3000);
    expect([client.disconnects, await mayPublish(client, 'a')]).toEqual([0, true]);
  });
});

describe('credentials with a role', () => {
  it('are accepted by a server that has loaded the account, at once', async () => {
    const account = await newAccount(local, REGION);
    await enter((await newCreds(local, REGION, account)).content);
    for (let i = 0; i < 15; i++) {
      const role = await newRole(account);
      const { credentials } = await newUser(account, role.id);
      expect(await access(url(), credentials.content)).toBe('yes');
    }
  });

  it('are rejected while disabled and when revoked, and keep the role after a rotation', async () => {
    const account = await newAccount(local, REGION);
    const role = await newRole(account, { publish: { allow: ['mine'] } });
    const user = await newUser(account, role.id);
    const { connection } = await enter(user.credentials.content);
    const path = `/nats-credentials/${user.id}`;
    const closed = connection.closed();
    expect(await send('POST', `${path}/disable`, {})).toMatchObject({ status: 200, enforcement: ENFORCED });
    await closed;
    expect(await access(url(), user.credentials.content)).toBe('refused');
    expect(await send('POST', `${path}/enable`)).toMatchObject({ status: 200, enforcement: ENFORCED });
    const rotated = (await send('POST', `${path}/rotate`, {})).body as Made;
    for (const content of [user.credentials.content, rotated.credentials.content]) {
      const client = await enter(content);
      expect([await mayPublish(client, 'mine'), await mayPublish(client, 'other')]).toEqual([true, false]);
    }
    expect((await send('DELETE', `/nats-roles/${role.id}`)).status).toBe(412);
    expect(await send('DELETE', path)).toMatchObject({ status: 204, enforcement: ENFORCED });
    for (const content of [user.credentials.content, rotated.credentials.content])
      expect(await access(url(), content)).toBe('refused');
    expect((await send('DELETE', `/nats-roles/${role.id}`)).status).toBe(204);
  });

  it('are restricted to source IPs, a number of subscriptions, a size of messages, and connection types', async () => {
    const account = await newAccount(local, REGION);
    const role = await newRole(account, { source_ips: ['192.0.2.0/24', '2001:db8::/32'] });
    const { credentials } = await newUser(account, role.id);
    const path = `/nats-roles/${role.id}`;
    expect(await access(url(), credentials.content)).toBe('refused');
    await send('PATCH', path, { source_ips: ['192.0.2.0/24', '127.0.0.0/8'] });
    expect(await access(url(), credentials.content)).toBe('yes');
    await send('PATCH', path, { source_ips: null, connection_types: ['websocket'] });
    expect(await access(url(), credentials.content)).toBe('refused');
    await send('PATCH', path, { connection_types: ['standard'], max_subscriptions: 1, max_payload: 100 });
    const limited = await enter(credentials.content);
    expect(limited.connection.info?.max_payload).toBe(100);
    const [first, second] = [await heardBy(limited, 'one'), await heardBy(limited, 'two')];
    for (const subject of ['two', 'one']) limited.connection.publish(subject, 'x');
    await expect.poll(() => first).toEqual(['one x']);
    expect(second).toEqual([]);
    await send('PATCH', path, { connection_types: null, max_subscriptions: null, max_payload: null });
    const free = await enter(credentials.content);
    expect([await maySubscribe(free, 'one'), await maySubscribe(free, 'two')]).toEqual([true, true]);
    expect(free.connection.info?.max_payload).toBeGreaterThan(100);
  });

  it('cannot publish to the part of JetStream’s API for the system account, even if everything is allowed', async () => {
    const account = await newAccount(local, REGION);
    const role = await newRole(account);
    const client = await enter((await newUser(account, role.id)).credentials.content);
    for (const part of ['ACCOUNT.PURGE.A', 'SERVER.REMOVE', 'META.LEADER.STEPDOWN'])
      expect(await mayPublish(client, `$JS.API.${part}`)).toBe(false);
    expect(await mayPublish(client, '$JS.API.INFO')).toBe(true);
  });

  it('are rejected after their account is deleted', async () => {
    const account = await newAccount(local, REGION);
    const role = await newRole(account);
    const { credentials } = await newUser(account, role.id);
    const { connection } = await enter(credentials.content);
    const closed = connection.closed();
    expect((await send('DELETE', `/nats-accounts/${account}`)).status).toBe(204);
    await closed;
    expect(await access(url(), credentials.content)).toBe('refused');
    expect(claimsOf(await accountJwtOf(local, REGION, account)).nats.signing_keys).toHaveLength(1);
  });
});

describe('an account with the most roles', () => {
  it('has 100, each with its own permissions, and a change of one reaches only its connections', async () => {
    const account = await newAccount(local, REGION);
    const roles: Role[] = [];
    for (let i = 0; i < 100; i++) roles.push(await newRole(account, { publish: { allow: [`only.${i}`] } }));
    expect(
      (await send('POST', '/nats-roles', { nats_account_id: account, publish: ALL, subscribe: ALL })).status,
    ).toBe(403);
    const clients = await Promise.all(
      [0, 50, 99].map(async (i) => {
        const made = await newUser(account, roles[i]?.id ?? '');
        return {
          i,
          client: await enter(made.credentials.content, { reconnect: true, reconnectTimeWait: 100 }),
        };
      }),
    );
    for (const { i, client } of clients)
      expect([await mayPublish(client, `only.${i}`), await mayPublish(client, 'only.7')]).toEqual([
        true,
        false,
      ]);
    expect(
      await send('PATCH', `/nats-roles/${roles[50]?.id}`, { publish: { allow: ['only.7'] } }),
    ).toMatchObject({
      enforcement: ENFORCED,
    });
    await expect.poll(() => clients.map(({ client }) => client.disconnects)).toEqual([0, 1, 0]);
    await expect.poll(() => mayPublish(clients[1]?.client as Client, 'only.7')).toBe(true);
  });

  it('at the edge of the byte budget, with the most revocations, is still accepted by the server', async () => {
    const account = await newAccount(local, REGION);
    const list = (letter: string) =>
      Array.from({ length: 200 }, (_, i) => `${letter}${String(i).padStart(252, '0')}`);
    const { id } = await newRole(account, { publish: { allow: list('a') } });
    await newRole(account, { publish: { allow: list('b') } });
    // Fills the rest.
    let [low, high] = [0, 100];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const { status } = await send('PATCH', `/nats-roles/${id}`, {
        publish: { deny: list('c').slice(0, middle), allow: list('a') },
      });
      if (status === 200) low = middle;
      else high = middle;
    }
    await send('PATCH', `/nats-roles/${id}`, {
      publish: { deny: list('c').slice(0, low), allow: list('a') },
    });
    const database = await local.stack.database(regionBinding('REGION', REGION));
    await database
      .prepare(
        `insert into nats_revocations (account_id, user_key, revoked_at, issued_at)
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 9498)
         select ?, 'U' || printf('%055d', i), 1800000000, 1800000000 from n`,
      )
      .bind(account)
      .run();
    const made = await newUser(account, id);
    expect(await send('PATCH', `/nats-roles/${id}`, { max_payload: 1_000_000 })).toMatchObject({
      status: 200,
      enforcement: ENFORCED,
    });
    const jwt = await accountJwtOf(local, REGION, account);
    expect(jwt.length).toBeGreaterThan(MAX_ROLE_BYTES + 9498 * 90);
    expect(jwt.length).toBeLessThan(1 << 20);
    const client = await enter(made.credentials.content);
    expect([await mayPublish(client, list('a')[0] ?? ''), await mayPublish(client, 'b')]).toEqual([
      true,
      false,
    ]);
    expect(await heldJwt(local, REGION, account)).toBe(jwt);
  });
});

describe('the preset', () => {
  let account: string;
  let admin: Client;
  let manager: JetStreamManager;

  beforeAll(async () => {
    account = await newAccount(local, REGION);
    const { content } = await newCreds(local, REGION, account);
    const setup = await enter(content);
    const streams = (await jetstreamManager(setup.connection)).streams;
    await streams.add({ name: 'ORDERS', subjects: ['orders.>'] });
    await streams.add({ name: 'SECRET', subjects: ['secret.>'] });
    for (const [prefix, subjects] of [
      ['KV_', '$KV'],
      ['OBJ_', '$O'],
    ]) {
      for (const bucket of ['mine', 'theirs']) {
        await streams.add({
          name: `${prefix}${bucket}`,
          subjects: [`${subjects}.${bucket}.>`],
          allow_direct: true,
          allow_rollup_hdrs: true,
          max_msgs_per_subject: 5,
        });
        await jetstream(setup.connection).publish(`${subjects}.${bucket}.key`, `value of ${bucket}`);
      }
    }
    for (let i = 0; i < 3; i++) await jetstream(setup.connection).publish(`orders.${i}`, `order ${i}`);
    const consumers = (await jetstreamManager(setup.connection)).consumers;
    for (const durable_name of ['billing', 'shipping'])
      await consumers.add('ORDERS', { durable_name, ack_policy: AckPolicy.Explicit });
  });

  /** Enters with the preset and with full access. */
  async function enterAs(id: string, values: PresetValues): Promise<Client> {
    const preset = PRESETS.find((one) => one.id === id) as Preset;
    const role = await newRole(account, permissionsOf(preset, values, 'private'));
    const { content } = await newCreds(local, REGION, account);
    admin = await enter(content);
    manager = await jetstreamManager(admin.connection);
    const client = await enterPrivately(await newUser(account, role.id));
    // What no preset with replies allows: the inboxes of others.
    for (const inbox of ['_INBOX.>', '_INBOX.*', '>']) expect(await maySubscribe(client, inbox)).toBe(false);
    return client;
  }

  /** Expects that the client may publish to none of the subjects. */
  async function expectDenied(client: Client, subjects: readonly string[]): Promise<void> {
    const permitted = [];
    for (const subject of subjects) if (await mayPublish(client, subject)) permitted.push(subject);
    expect(permitted).toEqual([]);
  }

  const asManager = ({ connection }: Client) => jetstreamManager(connection, { checkAPI: false });
  const MANAGING = [
    '$JS.API.STREAM.CREATE.X',
    '$JS.API.STREAM.UPDATE.ORDERS',
    '$JS.API.STREAM.DELETE.ORDERS',
    '$JS.API.STREAM.MSG.DELETE.ORDERS',
  ];
  const ON_OTHERS = [
    '$JS.API.STREAM.INFO.SECRET',
    '$JS.API.DIRECT.GET.SECRET',
    '$JS.API.STREAM.MSG.GET.SECRET',
    '$JS.API.CONSUMER.CREATE.SECRET',
    '$JS.API.CONSUMER.CREATE.SECRET.x.secret.>',
    '$JS.API.CONSUMER.DELETE.SECRET.x',
    'secret.1',
  ];

  it('“publish” publishes to its subjects only, and receives nothing', async () => {
    const client = await enterAs('publish', { subjects: ['orders.new', 'logs.*'] });
    const heard = await heardBy(admin, 'logs.>');
    client.connection.publish('logs.a', 'hello');
    await expect.poll(() => heard).toEqual(['logs.a hello']);
    await expectDenied(client, ['orders.old', 'logs.a.b', '$JS.API.INFO', ...MANAGING, ...ON_OTHERS]);
    expect(await maySubscribe(client, 'orders.new')).toBe(false);
  });

  it('“subscribe” receives from its subjects only, and sends nothing', async () => {
    const client = await enterAs('subscribe', { subjects: ['news.>'] });
    const heard = await heardBy(client, 'news.>');
    admin.connection.publish('news.today', 'hello');
    await expect.poll(() => heard).toEqual(['news.today hello']);
    expect(await maySubscribe(client, 'orders.>')).toBe(false);
    await expectDenied(client, ['news.today', '$JS.API.INFO', ...MANAGING, ...ON_OTHERS]);
    // What it cannot prevent.
    expect(await heardBy(client, 'news.>', 'readers')).toEqual([]);
    expect(client.violations.filter((one) => one.includes('news.>'))).toEqual([]);
  });

  it('“requester” gets replies to its requests only', async () => {
    const client = await enterAs('requester', { subjects: ['service.add'] });
    admin.connection.subscribe('service.>', { callback: (_error, message) => void message.respond('42') });
    await admin.connection.flush();
    expect((await client.connection.request('service.add')).string()).toBe('42');
    await expectDenied(client, ['service.other', '$JS.API.INFO', ...MANAGING, ...ON_OTHERS]);
    expect(await maySubscribe(client, 'service.add')).toBe(false);
    // What it cannot prevent.
    const heard = await heardBy(admin, 'elsewhere');
    client.connection.publish('service.add', '', { reply: 'elsewhere' });
    await expect.poll(() => heard).toEqual(['elsewhere 42']);
  });

  it('“service” replies once to each request, and sends nothing else', async () => {
    const client = await enterAs('service', { subjects: ['service.sub'] });
    client.connection.subscribe('service.sub', {
      callback: (_error, message) => {
        for (const reply of ['once', 'twice']) message.respond(reply);
      },
    });
    await client.connection.flush();
    const inbox = 'replies.to.admin';
    const heard = await heardBy(admin, inbox);
    admin.connection.publish('service.sub', '', { reply: inbox });
    await expect.poll(() => client.violations).toContain(`publish ${inbox}`);
    // The server can permit one more reply than `max`; never without end.
    expect(heard).toEqual([`${inbox} once`]);
    expect(await maySubscribe(client, '$SRV.PING')).toBe(true);
    expect(await maySubscribe(client, 'service.other')).toBe(false);
    await expectDenied(client, ['service.sub', 'a', '$JS.API.INFO', ...MANAGING, ...ON_OTHERS]);
  });

  it('“stream-publish” publishes to the subjects of a stream with acknowledgements, and reads nothing', async () => {
    const client = await enterAs('stream-publish', { subjects: ['orders.>'] });
    expect(await jetstream(client.connection).publish('orders.new', 'x')).toMatchObject({ stream: 'ORDERS' });
    await expectDenied(client, ['$JS.API.STREAM.INFO.ORDERS', '$JS.API.INFO', ...MANAGING, ...ON_OTHERS]);
    expect(await maySubscribe(client, 'orders.>')).toBe(false);
    // What it cannot prevent.
    const heard = await heardBy(admin, 'elsewhere.ack');
    client.connection.publish('orders.new', '', { reply: 'elsewhere.ack' });
    await expect.poll(() => heard.length).toBe(1);
  });

  it('“consumer-pull” pulls and acknowledges messages of its consumer only', async () => {
    const client = await enterAs('consumer-pull', { stream: 'ORDERS', consumer: 'billing' });
    const consumer = await jetstream(client.connection).consumers.get('ORDERS', 'billing');
    const messages = await consumer.fetch({ max_messages: 2, expires: 5000 });
    const seen: string[] = [];
    for await (const message of messages) {
      seen.push(message.string());
      expect(await message.ackAck()).toBe(true);
    }
    expect(seen).toEqual(['order 0', 'order 1']);
    expect((await manager.consumers.info('ORDERS', 'billing')).ack_floor.stream_seq).toBe(2);
    await expectDenied(client, [
      '$JS.API.CONSUMER.INFO.ORDERS.shipping',
      '$JS.API.CONSUMER.MSG.NEXT.ORDERS.shipping',
      '$JS.ACK.ORDERS.shipping.1.1.1.1.1',
      '$JS.API.CONSUMER.DELETE.ORDERS.billing',
      '$JS.API.CONSUMER.CREATE.ORDERS',
      '$JS.API.STREAM.INFO.ORDERS',
      '$JS.API.DIRECT.GET.ORDERS',
      'orders.new',
      ...MANAGING,
      ...ON_OTHERS,
    ]);
    // What it cannot prevent.
    const other = await jetstream(admin.connection).consumers.get('ORDERS', 'billing');
    const theirs = await other.next({ expires: 5000 });
    client.connection.publish((theirs as unknown as { msg: Msg }).msg.reply ?? '', '+ACK');
    await client.connection.flush();
    await expect
      .poll(async () => (await manager.consumers.info('ORDERS', 'billing')).num_ack_pending)
      .toBe(0);
  });

  it('“stream-read” reads its stream with ordered and push consumers, and writes nothing', async () => {
    const client = await enterAs('stream-read', { stream: 'ORDERS' });
    await expectReads(client, 'ORDERS', 'orders.>', 'order 0');
    await expectDenied(client, [
      'orders.new',
      '$JS.API.STREAM.PURGE.ORDERS',
      '$JS.API.INFO',
      ...MANAGING,
      ...ON_OTHERS,
    ]);
    await expectDeletesConsumers(client, 'ORDERS');
  });

  it.each([
    ['kv-read', 'KV_', '$KV', false],
    ['kv-write', 'KV_', '$KV', true],
    ['object-read', 'OBJ_', '$O', false],
    ['object-write', 'OBJ_', '$O', true],
  ] as const)('“%s” reaches its bucket only', async (id, prefix, subject, writes) => {
    const client = await enterAs(id, { bucket: 'mine' });
    const stream = `${prefix}mine`;
    const own = await asManager(client);
    for (const get of [own.direct, own.streams]) {
      const message = await get.getMessage(stream, { last_by_subj: `${subject}.mine.key` });
      expect(message?.string()).toBe('value of mine');
    }
    await expectReads(client, stream, `${subject}.mine.>`, 'value of mine');
    const theirs = `${prefix}theirs`;
    await expectDenied(client, [
      `$JS.API.STREAM.INFO.${theirs}`,
      `$JS.API.DIRECT.GET.${theirs}`,
      `$JS.API.DIRECT.GET.${theirs}.${subject}.theirs.key`,
      `$JS.API.STREAM.MSG.GET.${theirs}`,
      `$JS.API.CONSUMER.CREATE.${theirs}`,
      `$JS.API.CONSUMER.CREATE.${theirs}.x`,
      `$JS.API.CONSUMER.DELETE.${theirs}.x`,
      `$JS.API.STREAM.PURGE.${theirs}`,
      `${subject}.theirs.key`,
      ...(writes ? [] : [`${subject}.mine.key`]),
      ...(id === 'object-write' ? [] : [`$JS.API.STREAM.PURGE.${stream}`]),
      ...MANAGING,
      ...ON_OTHERS,
    ]);
    if (writes) {
      const { seq } = await jetstream(client.connection).publish(`${subject}.mine.written`, id);
      expect((await manager.streams.getMessage(stream, { seq }))?.string()).toBe(id);
    }
    if (id === 'object-write') expect((await own.streams.purge(stream)).success).toBe(true);
    // What it cannot prevent.
    await expectDeletesConsumers(client, stream);
    const names = client.connection.request('$JS.API.STREAM.NAMES', '', { timeout: 2000 });
    if (prefix === 'OBJ_') expect((await names).json<{ streams: string[] }>().streams).toContain('SECRET');
    else await expect(names).rejects.toThrow();
  });

  async function expectReads(client: Client, stream: string, filter: string, first: string): Promise<void> {
    const js = jetstream(client.connection, { checkAPI: false } as never);
    expect((await (await asManager(client)).streams.info(stream)).config.name).toBe(stream);
    const ordered = await js.consumers.get(stream, { filter_subjects: [filter] });
    // The presets of buckets have no pulls: the clients of buckets read with push consumers.
    if (stream === 'ORDERS') expect((await ordered.next({ expires: 5000 }))?.string()).toBe(first);
    const push = await js.consumers.getPushConsumer(stream, {
      filter_subjects: [filter],
      deliver_policy: DeliverPolicy.All,
    });
    const messages = await push.consume();
    for await (const message of messages) {
      expect(message.string()).toBe(first);
      break;
    }
    await messages.close();
  }

  async function expectDeletesConsumers(client: Client, stream: string): Promise<void> {
    const name = `theirs${crypto.randomUUID().slice(0, 8)}`;
    await manager.consumers.add(stream, { durable_name: name, ack_policy: AckPolicy.Explicit });
    expect(await (await asManager(client)).consumers.delete(stream, name)).toBe(true);
  }

  it('lists are the ones that these tests run', () => {
    expect(PRESETS.map(({ id }) => id)).toEqual([
      'publish',
      'subscribe',
      'requester',
      'service',
      'stream-publish',
      'consumer-pull',
      'stream-read',
      'kv-read',
      'kv-write',
      'object-read',
      'object-write',
    ]);
  });

  it('with the shared inbox sees the replies to other users, and with the private one does not', async () => {
    const preset = PRESETS.find(({ id }) => id === 'requester') as Preset;
    const shared = await newRole(account, permissionsOf(preset, { subjects: ['a'] }, 'shared'));
    const client = await enter((await newUser(account, shared.id)).credentials.content);
    expect(await maySubscribe(client, INBOXES.shared)).toBe(true);
    const other = await newRole(account, permissionsOf(preset, { subjects: ['a'] }, 'private'));
    const [one, two] = [await newUser(account, other.id), await newUser(account, other.id)];
    const own = await enterPrivately(one);
    const subOf = ({ credentials: { content } }: Made) => claimsOf(userJwtOf(content)).sub;
    expect(await maySubscribe(own, `_INBOX.${subOf(one)}.>`)).toBe(true);
    expect(await maySubscribe(own, `_INBOX.${subOf(two)}.>`)).toBe(false);
  });
});
