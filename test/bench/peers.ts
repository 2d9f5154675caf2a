/**
 * Comparison with other software that creates, grants, verifies and revokes credentials, one request after another on
 * one connection: better-auth's API key plugin, in the same runtime on the same database, for a signed-in user; and
 * RabbitMQ's management API, where a credential is a user. To verify, Latchkey gets a signed gateway request that it
 * rejects for a missing permission, before the engine. RabbitMQ gets a request for a message, and the plugin a check
 * of a key, rejected for the same reason. The D1 round trips alone are measured too.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Stack } from '../stack/stack.ts';
import type { Area, Figure } from './area.ts';
import { type QueueCredentials, signSqs } from './client.ts';
import { bytesOf, type Load, latencyOf, loadEach, loadOf, type Timing } from './load.ts';
import { type RabbitMq, startRabbitMq } from './rabbitmq.ts';
import { startInPlace } from './worker.ts';

const REGION = 'fr-par';
const CREDENTIALS = 16;
const VERIFICATIONS = 4;
const OPERATIONS = ['create', 'grant', 'verify', 'revoke'] as const;
type Operation = (typeof OPERATIONS)[number];

/** How to call a peer. `Made` is the result of its creation. */
interface Peer {
  name: string;
  /** Returns the request for the credentials from this `create`'s response. */
  request(operation: Operation, made: string): Promise<Request>;
  /** Returns whether this response comes from a verification that recognized the credentials. */
  verified(body: string): boolean;
  /** Returns `made` from the request and its response. */
  made(request: Request, body: string): string;
  verifiedStatus: number;
}

/** Measures the peers. */
export const peers: Area = {
  name: 'peers',
  async measure({ rounds, state, stack: start }) {
    const stack = await start();
    const apiKeys = await startInPlace('api-keys', state, {}, (binding, database) => {
      if (binding === 'IDENTITY') prepareApiKeys(database);
    });
    const bare = await startInPlace('round-trips', state, {}, (binding, database) => {
      if (binding === 'REGION_FR_PAR') database.exec('create table written (id text primary key)');
    });
    const broker = await startRabbitMq();
    try {
      const all = [
        ours(stack),
        await pluginOf(stack, apiKeys.origin),
        roundTrips(bare.origin),
        ...(broker ? [rabbit(broker)] : []),
      ];
      const measured: Record<string, Record<Operation, Load>>[] = [];
      for (let round = -1; round < rounds; round++) {
        const each = await scenarioOf(round % 2 === 0 ? all : all.toReversed());
        if (round >= 0) measured.push(each);
      }
      return OPERATIONS.flatMap((operation) => figuresOf(operation, measured, broker !== null));
    } finally {
      await Promise.all([apiKeys.stop(), bare.stop(), broker?.stop()]);
    }
  },
};

/** Runs each operation with each peer, alternating. */
async function scenarioOf(all: readonly Peer[]): Promise<Record<string, Record<Operation, Load>>> {
  const loads: Record<string, Record<string, Load>> = {};
  const made = new Map<Peer, string[]>();
  for (const operation of OPERATIONS) {
    for (const peer of all) {
      const { credentials, timing } = await perform(peer, operation, made.get(peer) ?? []);
      made.set(peer, credentials);
      loads[peer.name] = { ...loads[peer.name], [operation]: loadOf([timing]) };
    }
  }
  return loads as Record<string, Record<Operation, Load>>;
}

async function perform(
  peer: Peer,
  operation: Operation,
  before: readonly string[],
): Promise<{ credentials: string[]; timing: Timing }> {
  const creates = operation === 'create';
  const times = operation === 'verify' ? VERIFICATIONS : 1;
  const of = creates ? Array.from({ length: CREDENTIALS }, () => '') : before;
  const requests = await Promise.all(
    Array.from({ length: times }, () => of.map((one) => peer.request(operation, one))).flat(),
  );
  const { url } = requests[0] as Request;
  const bytes = await Promise.all(requests.map((request) => bytesOf(request.clone())));
  const status = operation === 'verify' ? peer.verifiedStatus : undefined;
  const { bodies, ...timing } = await loadEach(new URL(url).origin, bytes, 1, status);
  if (operation === 'verify' && !bodies.every(peer.verified))
    throw new Error(`${peer.name} verified with: ${bodies[0]}`);
  const credentials = creates
    ? requests.map((request, at) => peer.made(request, bodies[at] ?? ''))
    : [...before];
  return { credentials, timing };
}

function figuresOf(
  operation: Operation,
  measured: readonly Record<string, Record<Operation, Load>>[],
  withRabbit: boolean,
): Figure[] {
  const all = (of: string) => measured.flatMap((each) => each[of]?.[operation] ?? []);
  const perSecond = (of: string) => all(of).map((load) => load.perSecond);
  const compare = (of: string, to: string, measure: string, aim?: string): Figure => ({
    measure: `${operation}${measure}`,
    unit: '/s',
    values: perSecond(of),
    latency: latencyOf(all(of)),
    baseline: { of: to, values: perSecond(to), latency: latencyOf(all(to)) },
    aim,
  });
  const toRabbit = [
    compare(OURS, RABBIT, ' credentials', '> 1'),
    compare(BARE, RABBIT, ': its round trips to D1 alone'),
  ];
  const missing = { of: `${RABBIT}: not installed, not measured`, values: [] };
  return [
    compare(OURS, PLUGIN, ' credentials', '> 1'),
    ...(withRabbit ? toRabbit : toRabbit.map((figure) => ({ ...figure, baseline: missing }))),
  ];
}

const OURS = 'Latchkey';
const PLUGIN = 'better-auth API keys';
const RABBIT = 'RabbitMQ';
const BARE = 'round trips';

function json(url: string, method: string, headers: Record<string, string>, body?: object): Request {
  return new Request(url, {
    method,
    headers: { ...headers, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
}

function ours({ origin, owner }: Stack): Peer {
  const at = `${origin}/mnq/v1beta1/regions/${REGION}/sqs-credentials`;
  const headers = { 'X-Auth-Token': owner?.secret_key ?? '' };
  const { project_id } = owner ?? {};
  return {
    name: OURS,
    verifiedStatus: 403,
    verified: (body) => body.includes('AccessDenied'),
    made: (_request, body) => body,
    async request(operation, made) {
      if (operation === 'create')
        return json(at, 'POST', headers, {
          project_id,
          name: 'measured',
          permissions: { can_publish: true },
        });
      const credentials = JSON.parse(made) as QueueCredentials;
      const item = `${at}/${credentials.id}`;
      if (operation === 'grant') return json(item, 'PATCH', headers, { permissions: { can_manage: true } });
      if (operation === 'revoke') return json(item, 'DELETE', headers);
      const fields = { QueueUrl: `${origin}/project-${project_id}/measured` };
      return signSqs(origin, REGION, credentials, 'ReceiveMessage', fields);
    },
  };
}

function roundTrips(origin: string): Peer {
  return {
    name: BARE,
    verifiedStatus: 200,
    verified: (body) => body === 'done',
    made: () => '',
    request: async (operation) => json(`${origin}/mnq/${operation}`, 'POST', {}, {}),
  };
}

async function pluginOf({ owner }: Stack, origin: string): Promise<Peer> {
  const { email, password } = owner ?? {};
  const signIn = await fetch(json(`${origin}/mnq/sign-in`, 'POST', {}, { email, password }));
  if (!signIn.ok) throw new Error(`Sign-in returned ${signIn.status}`);
  const cookie = signIn.headers.getSetCookie().map((one) => one.split(';')[0]);
  return {
    name: PLUGIN,
    verifiedStatus: 403,
    // Returned for a known key; for an unknown one, the plugin returns INVALID_API_KEY.
    verified: (body) => body.includes('KEY_NOT_FOUND'),
    made: (_request, body) => body,
    async request(operation, made) {
      const { id, key } = (made ? JSON.parse(made) : {}) as { id?: string; key?: string };
      const body = { keyId: id, key };
      return json(`${origin}/mnq/${operation}`, 'POST', { cookie: cookie.join('; ') }, body);
    },
  };
}

/** Adds the plugin's table next to ours. */
function prepareApiKeys(database: DatabaseSync): void {
  database.exec(`create table apikey (id text primary key, config_id text not null, name text, start text,
    reference_id text not null, prefix text, key text not null, refill_interval integer, refill_amount integer,
    last_refill_at integer, enabled integer, rate_limit_enabled integer, rate_limit_time_window integer,
    rate_limit_max integer, request_count integer, remaining integer, last_request integer, expires_at integer,
    created_at integer not null, updated_at integer not null, permissions text, metadata text);
    create index apikey_by_config on apikey (config_id);
    create index apikey_by_reference on apikey (reference_id);
    create index apikey_by_key on apikey (key);`);
}

function rabbit({ origin, authorization }: RabbitMq): Peer {
  const password = crypto.randomUUID();
  const headers = { authorization };
  return {
    name: RABBIT,
    verifiedStatus: 401,
    verified: (body) => body.includes('ACCESS_REFUSED'),
    made: ({ url }) => url.slice(url.lastIndexOf('/') + 1),
    async request(operation, name) {
      const user = `${origin}/api/users/${name || crypto.randomUUID()}`;
      switch (operation) {
        case 'create':
          return json(user, 'PUT', headers, { password, tags: 'management' });
        case 'grant': {
          const permissions = { configure: '^measured$', write: '^measured$', read: '' };
          return json(`${origin}/api/permissions/%2F/${name}`, 'PUT', headers, permissions);
        }
        case 'verify':
          return json(
            `${origin}/api/queues/%2F/measured/get`,
            'POST',
            { authorization: `Basic ${btoa(`${name}:${password}`)}` },
            { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' },
          );
        case 'revoke':
          return json(user, 'DELETE', headers);
      }
    },
  };
}
