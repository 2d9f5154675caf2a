/**
 * Tenant isolation on a real nats-server: two organizations and a guest, with streams, consumers and buckets of the
 * same names. No tenant can read, change, stop or impersonate another, whatever its client sends. Every tenant tries
 * each attack on every other, and afterwards each tenant's data is unchanged.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { fromSeed } from '@nats-io/nkeys';
import { connect, createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { credsText } from '../../functions/nats/creds.ts';
import { accountJwt, userJwt } from '../../functions/nats/jwt.ts';
import { createKey, importSeed } from '../../functions/nats/keys.ts';
import { freePort } from '../stack/ports.ts';
import { useStack } from './local-stack.ts';
import { access, claimsOf, connectWith, userJwtOf } from './nats-client.ts';
import { newGuestTenant, newTenant, type Tenant } from './nats-tenants.ts';
import { credsOf } from './past-creds.ts';
import { itUnlessFault } from './server-faults.ts';

const REGION = 'fr-par';
const leafPort = await freePort();
const local = useStack({
  nats: (settings) => (settings.region === REGION ? { ...settings, leafnodes: leafPort } : settings),
});
const url = () => local.stack.nats.get(REGION)?.url ?? '';

/** A tenant with a connection, a stream `SAME` like the others', and one with a unique name. */
interface Neighbour extends Tenant {
  label: string;
  connection: NatsConnection;
  /** The name of the stream that no other tenant has. */
  own: string;
  /** The ack subject of a delivered, unacknowledged message of `own`'s consumer `worker`. */
  unacknowledged: string;
}

const neighbours: Neighbour[] = [];

async function prepareTenant(label: string, tenant: Tenant): Promise<Neighbour> {
  const connection = await connectWith(url(), tenant.content);
  const manager = await jetstreamManager(connection);
  const own = `ONLY_${label}`;
  for (const name of ['SAME', own]) {
    await manager.streams.add({ name, subjects: [`${name}.>`], allow_direct: true });
    await manager.consumers.add(name, { durable_name: 'worker', ack_policy: 'explicit', ack_wait: 3600e9 });
    for (const i of [1, 2, 3]) await jetstream(connection).publish(`${name}.${i}`, `${label} ${i}`);
  }
  const delivered = await (await jetstream(connection).consumers.get(own, 'worker')).next({ expires: 5000 });
  const unacknowledged = delivered ? (delivered as unknown as { msg: { reply: string } }).msg.reply : '';
  expect(unacknowledged).toMatch(/^\$JS\.ACK\./);
  return { ...tenant, label, connection, own, unacknowledged };
}

beforeAll(async () => {
  neighbours.push(
    await prepareTenant('ONE', await newTenant(local, REGION)),
    await prepareTenant('OTHER', await newTenant(local, REGION)),
    await prepareTenant('GUEST', await newGuestTenant(local, REGION)),
  );
});
afterAll(() => Promise.all(neighbours.map(({ connection }) => connection.close())));

const pairs = () =>
  neighbours.flatMap((from) => neighbours.filter((to) => to !== from).map((to) => ({ from, to })));

/** How long to wait for a response that should not come, in milliseconds. */
const RESPONSE_TIMEOUT_MS = 500;

/** Returns the response to a request, or null if it is denied, has no responder, or times out. */
async function ask(
  connection: NatsConnection,
  subject: string,
  payload: string | object = '',
  more: Record<string, string> = {},
): Promise<string | null> {
  const sent = headers();
  for (const [name, value] of Object.entries(more)) sent.append(name, value);
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const request = connection.request(subject, text, {
    timeout: RESPONSE_TIMEOUT_MS,
    ...(Object.keys(more).length > 0 && { headers: sent }),
  });
  return request.then(
    (response) => response.string(),
    () => null,
  );
}

/** Publishes a message with a reply subject, which can be denied. */
async function send(connection: NatsConnection, subject: string, payload = '', reply?: string) {
  connection.publish(subject, payload, reply === undefined ? {} : { reply });
  await connection.flush();
}

/** Returns everything that a tenant has, according to the server, without values that change over time. */
async function stateOfTenant({ connection, own }: Neighbour) {
  const manager = await jetstreamManager(connection);
  const streams = [];
  for await (const { config, created, state } of manager.streams.list()) {
    const { messages, bytes, first_seq } = state;
    streams.push({ config, created, messages, bytes, first_seq });
  }
  const consumers = [];
  for (const stream of ['SAME', own]) {
    for await (const { name, created, num_ack_pending, num_pending } of manager.consumers.list(stream)) {
      consumers.push({ stream, name, created, num_ack_pending, num_pending });
    }
  }
  const byName = (a: { config: { name: string } }, b: { config: { name: string } }) =>
    a.config.name < b.config.name ? -1 : 1;
  return { streams: streams.sort(byName), consumers, open: !connection.isClosed() };
}

/** Runs the work, and expects every tenant's data to be unchanged afterwards. */
async function expectUnchanged(work: () => Promise<unknown>): Promise<void> {
  const before = await Promise.all(neighbours.map(stateOfTenant));
  await work();
  expect(await Promise.all(neighbours.map(stateOfTenant))).toEqual(before);
}

/** The values of another tenant that must never leak. */
const secretsOf = ({ account, own, content }: Neighbour) => [account, own, claimsOf(userJwtOf(content)).sub];

/** Expects that a response contains no data of the other tenant. */
function expectNoLeakOf(other: Neighbour, response: string | null, subject: string): void {
  for (const secret of secretsOf(other)) {
    // The server repeats the requested subject.
    expect((response ?? '').replaceAll(subject, ''), subject).not.toContain(secret);
  }
}

describe('JetStream (cross-tenant)', () => {
  it('lists each tenant’s own streams, messages and consumers only', async () => {
    for (const { connection, own, label } of neighbours) {
      const manager = await jetstreamManager(connection);
      const names: string[] = [];
      for await (const name of manager.streams.names()) names.push(name);
      expect(names.sort()).toEqual(['SAME', own].sort());
      expect((await manager.streams.getMessage('SAME', { seq: 1 }))?.string()).toBe(`${label} 1`);
      const { streams, consumers } = await manager.getAccountInfo();
      expect({ streams, consumers }).toEqual({ streams: 2, consumers: 2 });
    }
  });

  it('denies tenants the part of the API that is for the system account', () =>
    expectUnchanged(async () => {
      for (const { from, to } of pairs()) {
        const server = from.connection.info?.server_name;
        const id = from.connection.info?.server_id;
        const asked = [
          [`$JS.API.ACCOUNT.STREAM.MOVE.${to.account}.${to.own}`, { server, tags: [] }],
          [`$JS.API.ACCOUNT.STREAM.CANCEL_MOVE.${to.account}.${to.own}`, {}],
          ['$JS.API.SERVER.REMOVE', { peer: server, peer_id: id }],
          [`$JS.API.SERVER.STREAM.MOVE.${to.account}.${to.own}`, {}],
          ['$JS.API.META.LEADER.STEPDOWN', {}],
        ] as const;
        for (const [subject, payload] of asked) {
          expect(await ask(from.connection, subject, payload), `${from.label}: ${subject}`).toBeNull();
        }
      }
    }));

  it('finds no stream or consumer of another tenant by its name', () =>
    expectUnchanged(async () => {
      for (const { from, to } of pairs()) {
        const config = { name: 'thief', durable_name: 'thief', ack_policy: 'none' };
        const asked = [
          ...['INFO', 'DELETE', 'PURGE', 'SNAPSHOT', 'LEADER.STEPDOWN', 'PEER.REMOVE'].map((verb) => [
            `$JS.API.STREAM.${verb}.${to.own}`,
            { peer: 'x', deliver_subject: createInbox() },
          ]),
          [`$JS.API.STREAM.UPDATE.${to.own}`, { name: to.own, subjects: ['stolen.>'] }],
          [`$JS.API.STREAM.MSG.GET.${to.own}`, { seq: 1 }],
          [`$JS.API.STREAM.MSG.DELETE.${to.own}`, { seq: 1 }],
          [`$JS.API.DIRECT.GET.${to.own}`, { seq: 1 }],
          [`$JS.API.DIRECT.GET.${to.own}.${to.own}.1`, ''],
          [
            `$JS.API.CONSUMER.CREATE.${to.own}`,
            { stream_name: to.own, config: { ...config, durable_name: undefined } },
          ],
          [`$JS.API.CONSUMER.CREATE.${to.own}.thief`, { stream_name: to.own, config }],
          [`$JS.API.CONSUMER.DURABLE.CREATE.${to.own}.thief`, { stream_name: to.own, config }],
          [`$JS.API.CONSUMER.NAMES.${to.own}`, ''],
          [`$JS.API.CONSUMER.LIST.${to.own}`, ''],
          ...['INFO', 'DELETE', 'MSG.NEXT', 'PAUSE', 'UNPIN', 'LEADER.STEPDOWN'].map((verb) => [
            `$JS.API.CONSUMER.${verb}.${to.own}.worker`,
            '',
          ]),
        ] as [string, string | object][];
        const responses = await Promise.all(
          asked.map(([subject, payload]) => ask(from.connection, subject, payload)),
        );
        for (const [at, response] of responses.entries()) {
          const what = `${from.label}: ${asked[at]?.[0]}: ${response}`;
          expectNoLeakOf(to, response, asked[at]?.[0] ?? '');
          if (response) expect(JSON.parse(response).error?.code, what).toBeGreaterThanOrEqual(400);
        }
      }
    }));

  it('ignores headers that claim that a request came from another account', () =>
    expectUnchanged(async () => {
      for (const { from, to } of pairs()) {
        const spoofed = JSON.stringify({ acc: to.account, svc: to.account, user: 'x', kind: 'Client' });
        for (const name of ['Nats-Request-Info', 'Nats-Service-Import', 'Nats-Trace-Dest']) {
          for (const subject of [`$JS.API.STREAM.INFO.${to.own}`, `$JS.API.STREAM.DELETE.${to.own}`]) {
            const response = await ask(from.connection, subject, '', { [name]: spoofed });
            if (response) expect(JSON.parse(response).error?.code, `${name} ${response}`).toBe(404);
          }
          const info = await ask(from.connection, '$JS.API.INFO', '', { [name]: spoofed });
          if (info) expect(JSON.parse(info)).toMatchObject({ streams: 2 });
        }
      }
    }));

  it('accepts no acknowledgment, flow control or message from outside the account', () =>
    expectUnchanged(async () => {
      for (const { from, to } of pairs()) {
        for (const payload of ['+ACK', '+TERM', '-NAK', '+NXT']) {
          await send(from.connection, to.unacknowledged, payload, createInbox());
        }
        await send(from.connection, `$JS.FC.${to.own}.worker.x`);
        await send(from.connection, `${to.own}.4`, 'x');
        expect(await ask(from.connection, `${to.own}.4`, 'x')).toBeNull();
      }
      await sleep(RESPONSE_TIMEOUT_MS);
    }));

  it('copies no message from another account into a stream, whatever source the stream names', async () => {
    const before = await Promise.all(neighbours.map(stateOfTenant));
    for (const { from, to } of pairs()) {
      const manager = await jetstreamManager(from.connection);
      const made: string[] = [];
      for (const api of ['$JS.API', `$JS.${to.account}.API`, `$SYS.REQ.ACCOUNT.${to.account}.JS.API`]) {
        const external = { api, deliver: `deliver.${to.label}` };
        const source = { name: to.own, external };
        const thief = `THIEF_${made.length}`;
        for (const [kind, config] of Object.entries({ M: { mirror: source }, S: { sources: [source] } })) {
          await manager.streams.add({ name: `${thief}_${kind}`, ...config }).then(
            () => made.push(`${thief}_${kind}`),
            () => {},
          );
        }
      }
      await sleep(RESPONSE_TIMEOUT_MS);
      for (const name of made) {
        expect(
          (await manager.streams.info(name)).state.messages,
          `${from.label} ← ${to.label}: ${name}`,
        ).toBe(0);
        await manager.streams.delete(name);
      }
    }
    expect(await Promise.all(neighbours.map(stateOfTenant))).toEqual(before);
  });

  it('sends nothing into another account through a consumer, a republishing stream, or a snapshot', async () => {
    for (const { from, to } of pairs()) {
      const heard: string[] = [];
      const hearing = to.connection.subscribe('>', {
        callback: (_, { subject }) => void heard.push(subject),
      });
      await to.connection.flush();
      const manager = await jetstreamManager(from.connection);
      await manager.consumers.add('SAME', {
        durable_name: 'pusher',
        ack_policy: 'none',
        deliver_subject: `pushed.${to.account}`,
      });
      for (const dest of [`${to.own}.republished`, `$JS.ACK.${to.own}.worker.>`]) {
        const republish = { src: 'loud', dest };
        await manager.streams.add({ name: 'LOUD', subjects: ['loud'], republish }).then(
          async () => {
            await jetstream(from.connection).publish('loud', 'x');
            await manager.streams.delete('LOUD');
          },
          () => {},
        );
      }
      await ask(from.connection, '$JS.API.STREAM.SNAPSHOT.SAME', { deliver_subject: `${to.own}.snapshot` });
      await sleep(RESPONSE_TIMEOUT_MS / 2);
      await manager.consumers.delete('SAME', 'pusher');
      hearing.unsubscribe();
      expect(heard, `${from.label} → ${to.label}`).toEqual([]);
    }
    for (const { connection, own } of neighbours) {
      const { state } = await (await jetstreamManager(connection)).streams.info(own);
      expect(state.messages).toBe(3);
    }
  });
});

describe('subjects (cross-tenant)', () => {
  it('are isolated between accounts: wildcards, inboxes, queue groups and responders', async () => {
    for (const { from, to } of pairs()) {
      const token = crypto.randomUUID();
      const heard: string[] = [];
      const callback = (_: unknown, message: Msg) => {
        if (message.string().includes(token)) heard.push(message.subject);
      };
      const wide = ['>', '*', '_INBOX.>', '$JS.>', '$KV.>', '$O.>', '$SRV.>', '$SYS.>', 'jobs', 'SAME.>'];
      const spies = [
        ...wide.map((subject) => from.connection.subscribe(subject, { callback })),
        ...['jobs', '>'].map((subject) => from.connection.subscribe(subject, { queue: 'workers', callback })),
      ];
      await from.connection.flush();
      let worked = 0;
      const worker = to.connection.subscribe('jobs', {
        queue: 'workers',
        callback: (_, message) => {
          worked++;
          message.respond(`done ${token}`);
        },
      });
      for (let i = 0; i < 20; i++) {
        expect((await to.connection.request('jobs', token)).string()).toBe(`done ${token}`);
      }
      await jetstream(to.connection).publish('SAME.1', token);
      await from.connection.flush();
      expect(worked).toBe(20);
      expect(heard, `${from.label} hears ${to.label}`).toEqual([]);
      // The spies receive the tenant's own messages.
      from.connection.publish('jobs', token);
      await from.connection.flush();
      expect(heard.length).toBeGreaterThan(2);
      worker.unsubscribe();
      for (const spy of spies) spy.unsubscribe();
    }
  });

  it('of the system reveal nothing about another tenant and do not affect it', () =>
    expectUnchanged(async () => {
      const forged = await createKey('operator').then(({ seed }) => importSeed(seed));
      for (const { from, to } of pairs()) {
        const server = from.connection.info?.server_id;
        const claims = await accountJwt({
          id: to.account,
          issuer: forged,
          signingKeys: [],
          issuedAt: Math.floor(Date.now() / 1000) + 60,
          revocations: { '*': 253_402_300_799 },
        });
        const asked: [string, string | object][] = [
          ...[
            '',
            '.ACCOUNTZ',
            '.CONNZ',
            '.VARZ',
            '.SUBSZ',
            '.JSZ',
            '.STATSZ',
            '.LEAFZ',
            '.HEALTHZ',
            '.ROUTEZ',
          ].map((verb): [string, object] => [
            `$SYS.REQ.SERVER.PING${verb}`,
            { auth: true, account: to.account, acc: to.account },
          ]),
          ...['VARZ', 'CONNZ', 'ACCOUNTZ', 'KICK', 'LDM', 'RELOAD', 'PROFILEZ'].map(
            (verb): [string, object] => [
              `$SYS.REQ.SERVER.${server}.${verb}`,
              { auth: true, account: to.account, cid: 1 },
            ],
          ),
          ...['CONNZ', 'INFO', 'SUBSZ', 'JSZ', 'STATZ', 'LEAFZ', 'CONNS', 'NSUBS'].map(
            (verb): [string, object] => [`$SYS.REQ.ACCOUNT.${to.account}.${verb}`, { auth: true }],
          ),
          ['$SYS.REQ.ACCOUNT.PING.CONNZ', { auth: true, acc: to.account }],
          ['$SYS.REQ.ACCOUNT.PING.STATZ', { accounts: [to.account] }],
          [`$SYS.REQ.ACCOUNT.${to.account}.CLAIMS.UPDATE`, claims],
          [`$SYS.REQ.ACCOUNT.${to.account}.CLAIMS.LOOKUP`, ''],
          ['$SYS.REQ.CLAIMS.UPDATE', claims],
          ['$SYS.REQ.CLAIMS.DELETE', claims],
          ['$SYS.REQ.CLAIMS.LIST', ''],
          ['$SYS.REQ.CLAIMS.PACK', ''],
          ['$SYS.REQ.USER.INFO', ''],
          ['$SYS.REQ.USER.AUTH', ''],
          ['$SYS.DEBUG.SUBSCRIBERS', to.account],
        ];
        const responses = await Promise.all(
          asked.map(([subject, payload]) => ask(from.connection, subject, payload)),
        );
        for (const [at, response] of responses.entries()) {
          const subject = asked[at]?.[0] ?? '';
          expectNoLeakOf(to, response, subject);
          // nats-server 2.9 does not support this request.
          if (subject === '$SYS.REQ.USER.INFO') expect(response ?? from.account).toContain(from.account);
        }
        await send(from.connection, `$SYS.ACCOUNT.${to.account}.CLAIMS.UPDATE`, claims);
        await send(from.connection, `$SYS.ACCOUNT.${to.account}.DISCONNECT`, '{}');
        await send(from.connection, `$SYS._INBOX.${server}.x`, claims);
      }
      await sleep(RESPONSE_TIMEOUT_MS);
    }));

  it('of the system do not announce another tenant’s connects, disconnects and errors', async () => {
    for (const { from, to } of pairs()) {
      const heard: string[] = [];
      const hearing = from.connection.subscribe('$SYS.>', {
        callback: (_, { subject }) => void heard.push(subject),
      });
      await from.connection.flush();
      await (await connectWith(url(), to.content)).close();
      expect(await access(url(), to.content.replace('ey', 'ex'))).not.toBe('yes');
      await sleep(RESPONSE_TIMEOUT_MS / 2);
      hearing.unsubscribe();
      expect(heard, `${from.label} hears ${to.label}`).toEqual([]);
    }
  });
});

describe('a forged user', () => {
  const seconds = () => Math.floor(Date.now() / 1000);

  /** Creates creds of a new user of `account`, signed by `issuer`. */
  async function forgedCreds(
    issuer: Parameters<typeof userJwt>[0]['issuer'],
    account: string,
    more: Partial<Parameters<typeof userJwt>[0]> = {},
  ): Promise<string> {
    const { publicKey, seed } = await createKey('user');
    const jwt = { publicKey, name: 'thief', issuer, issuerAccount: account, issuedAt: seconds(), ...more };
    return credsText(await userJwt(jwt), seed);
  }

  const newKey = async (kind: 'account' | 'operator' | 'user') => importSeed((await createKey(kind)).seed);

  it('is rejected when signed by another account, by its own key, or not at all', async () => {
    for (const { from, to } of pairs()) {
      const [account, user] = [await newKey('account'), await newKey('user')];
      const mine = from.content.match(/SU[A-Z2-7]{56}/)?.[0] ?? '';
      const theirs = userJwtOf(to.content);
      const [head, body, signature] = theirs.split('.') as [string, string, string];
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
      const encoded = (changed: object) => Buffer.from(JSON.stringify(changed)).toString('base64url');
      const none = Buffer.from('{"typ":"JWT","alg":"none"}').toString('base64url');
      const own = claimsOf(userJwtOf(from.content)).sub;
      const attempts = {
        'signed by a new account’s key': await forgedCreds(account, to.account),
        'of a self-made account': await forgedCreds(account, account.publicKey),
        'signed by a user’s key': await forgedCreds(user, to.account),
        'signed by a user’s key, all permissions': await forgedCreds(user, to.account, {
          permissions: { publish: ['>'], subscribe: ['>'] },
        }),
        'somebody else’s JWT, own seed': credsText(theirs, mine),
        'somebody else’s JWT for the own key': credsText(
          `${head}.${encoded({ ...claims, sub: own })}.${signature}`,
          mine,
        ),
        'made a bearer': credsText(
          `${head}.${encoded({ ...claims, nats: { ...claims.nats, bearer_token: true } })}.${signature}`,
          mine,
        ),
        'without an algorithm': credsText(`${none}.${encoded({ ...claims, sub: own })}.`, mine),
        'the own JWT for another account': credsText(
          userJwtOf(from.content).replace(
            /\.[^.]+\./,
            `.${encoded({
              ...JSON.parse(Buffer.from(userJwtOf(from.content).split('.')[1] ?? '', 'base64url').toString()),
              nats: { ...claims.nats, issuer_account: to.account },
            })}.`,
          ),
          mine,
        ),
      };
      for (const [what, content] of Object.entries(attempts)) {
        expect(await access(url(), content), `${from.label} as ${to.label}: ${what}`).toBe('refused');
      }
    }
  });

  it('is rejected in another account even when signed with one’s own account’s signing key', async () => {
    // No tenant ever has that key. If one leaked, it must be valid for its own account only.
    const [from, to] = neighbours as [Neighbour, Neighbour];
    const at = { account: from.account, region: REGION };
    expect(await access(url(), (await credsOf(local, at, { age: 0 })).content)).toBe('yes');
    expect(await access(url(), (await credsOf(local, at, { age: 0, as: to.account })).content)).toBe(
      'refused',
    );
  });

  it('is rejected without a signature of its key, or with a signature of another nonce', async () => {
    const [from, to] = neighbours as [Neighbour, Neighbour];
    const jwt = userJwtOf(to.content);
    const seed = new TextEncoder().encode(from.content.match(/SU[A-Z2-7]{56}/)?.[0] ?? '');
    const sign = (text: string) =>
      Buffer.from(fromSeed(seed).sign(new TextEncoder().encode(text))).toString('base64url');
    for (const authenticator of [
      () => ({ jwt }),
      () => ({ jwt, sig: '' }),
      (nonce?: string) => ({ jwt, nkey: claimsOf(jwt).sub, sig: sign(nonce ?? '') }),
      () => ({ jwt, nkey: claimsOf(jwt).sub, sig: sign('another nonce') }),
      () => ({ user: to.account, pass: to.account }),
      () => ({ auth_token: jwt }),
    ]) {
      const connecting = connect({
        servers: url(),
        authenticator: authenticator as never,
        reconnect: false,
        timeout: 5_000,
      });
      await expect(connecting.then((connection) => connection.close())).rejects.toThrow(
        /authorization|authentication/i,
      );
    }
  });
});

describe('a purge of another account', () => {
  itUnlessFault(
    'cross-account-purge',
    'does nothing, through a request, a reply or a republishing stream',
    async () => {
      const victim = await prepareTenant('VICTIM', await newTenant(local, REGION));
      const [{ connection }] = neighbours as [Neighbour];
      const manager = await jetstreamManager(connection);
      const subject = `$JS.API.ACCOUNT.PURGE.${victim.account}`;
      const namesOf = async () => {
        const names: string[] = [];
        for await (const name of (await jetstreamManager(victim.connection)).streams.names())
          names.push(name);
        return names.sort();
      };
      expect(await ask(connection, subject)).toBeNull();
      // A stream confirms a message on its reply subject, and republishes, with its own permissions.
      await send(connection, 'SAME.purge', 'x', subject);
      await manager.streams
        .add({ name: 'PURGER', subjects: ['purger'], republish: { src: 'purger', dest: subject } })
        .then(
          () => jetstream(connection).publish('purger', 'x'),
          () => {},
        );
      await sleep(RESPONSE_TIMEOUT_MS);
      expect(await namesOf()).toEqual([victim.own, 'SAME'].sort());
      await victim.connection.close();
    },
  );
});

it('a leaf node with a tenant’s creds is in that tenant’s account, whatever account it claims', async () => {
  const [from, to] = neighbours as [Neighbour, Neighbour];
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-leaf-'));
  const port = await freePort();
  writeFileSync(join(folder, 'from.creds'), from.content);
  writeFileSync(
    join(folder, 'leaf.conf'),
    `listen: "127.0.0.1:${port}"
accounts { ${to.account} { users: [{ user: "thief", password: "thief" }] } }
leafnodes {
  remotes: [{ url: "nats-leaf://127.0.0.1:${leafPort}", credentials: "${join(folder, 'from.creds')}", account: "${to.account}" }]
}
`,
  );
  const leaf = spawn(process.env.NATS_SERVER ?? 'nats-server', ['-c', join(folder, 'leaf.conf')], {
    stdio: 'ignore',
  });
  try {
    let thief: NatsConnection | undefined;
    await expect
      .poll(async () => {
        thief ??= await connect({ port, user: 'thief', pass: 'thief', reconnect: false }).catch(
          () => undefined,
        );
        return Boolean(thief);
      })
      .toBe(true);
    if (!thief) throw new Error('the leaf node did not start');
    const heard: string[] = [];
    thief.subscribe('letters.>', { callback: (_, message) => void heard.push(message.string()) });
    // The leaf node is up when the tenant's own messages arrive.
    await expect
      .poll(async () => {
        from.connection.publish('letters.own', 'own');
        await from.connection.flush();
        return heard.includes('own');
      })
      .toBe(true);
    const stolen: string[] = [];
    to.connection.subscribe('letters.>', { callback: (_, message) => void stolen.push(message.string()) });
    await to.connection.flush();
    to.connection.publish('letters.other', 'other');
    thief.publish('letters.forged', 'forged');
    await Promise.all([to.connection.flush(), thief.flush()]);
    await sleep(RESPONSE_TIMEOUT_MS);
    expect(heard).not.toContain('other');
    expect(stolen).toEqual(['other']);
    expect(await ask(thief, `$JS.API.ACCOUNT.PURGE.${to.account}`)).toBeNull();
    await thief.close();
  } finally {
    if (leaf.exitCode === null) {
      const exit = once(leaf, 'exit');
      leaf.kill('SIGTERM');
      await exit;
    }
    rmSync(folder, { recursive: true, force: true });
  }
});
