/**
 * Runs the code on the pages for operators: the nats-server configuration and requests of "Connect your NATS
 * servers", and the statements of "Rotate keys".
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../stack/certificate.ts';
import { clientTls, natsConfiguration } from '../stack/nats.ts';
import { freePort } from '../stack/ports.ts';
import { startStack } from '../stack/stack.ts';
import { useStack } from './local-stack.ts';
import { access, newCreds, revoke } from './nats-client.ts';
import { codeOf } from './pages.ts';

const local = useStack();
const REGION = 'fr-par';
const NATS_SERVER = process.env.NATS_SERVER ?? 'nats-server';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-operate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the page about nats-servers', () => {
  const template = codeOf('operate/nats-servers', 'txt')[0] ?? '';
  const { certificate, key } = selfSigned();

  /** Replaces the template's file paths with paths on this machine. */
  const here = (path: string) => join(folder, path.split('/').at(-1) ?? '');

  beforeAll(() => {
    for (const name of ['tls', 'route']) {
      writeFileSync(here(`${name}.crt`), certificate);
      writeFileSync(here(`${name}.key`), key);
    }
    writeFileSync(here('route-ca.crt'), certificate);
    writeFileSync(here('operator.jwt'), readFileSync(join(local.state, 'nats', REGION, 'operator.jwt')));
  });

  /** Fills in the template with this machine's values. Resolves to its file. */
  function fillIn(): string {
    const own = readFileSync(join(local.state, 'nats', REGION, 'server.conf'), 'utf8');
    return template
      .replaceAll(/"(\/[^"]+)"/g, (_, path: string) => `"${here(path)}"`)
      .replace('SYSTEM_ACCOUNT', /system_account: (A\w+)/.exec(own)?.[1] ?? '')
      .replaceAll('https://latchkey.example.com', local.stack.origin);
  }

  function writeConfiguration(name: string, text: string): string {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  }

  it('shows the configuration that npm run deploy writes, plus a cluster', () => {
    const tls = 'tls { cert_file: "/etc/nats/tls.crt", key_file: "/etc/nats/tls.key" }';
    const written = natsConfiguration({
      serverName: 'fr-par-1',
      listen: '0.0.0.0:4222',
      operator: '/etc/nats/operator.jwt',
      systemAccount: 'SYSTEM_ACCOUNT',
      resolver: 'https://latchkey.example.com/jwt/v1/fr-par/accounts/',
      tls: clientTls({ cert: '/etc/nats/tls.crt', key: '/etc/nats/tls.key' }),
      websocket: `  listen: "0.0.0.0:443"\n  ${tls}\n  allowed_origins: ["https://latchkey.example.com"]`,
      jetstream: '/var/lib/nats',
      storage: 100 * 1024 ** 3,
    });
    expect(template.startsWith(written)).toBe(true);
    expect(template.slice(written.length)).toMatch(/^cluster \{/);
  });

  it('shows a configuration that nats-server accepts with the page’s check command', () => {
    const config = writeConfiguration('nats-server.conf', fillIn());
    const check =
      codeOf('operate/nats-servers', 'sh').find((code) => code.startsWith('nats-server -t')) ?? '';
    expect(check).toMatch(/^nats-server -t -c \/etc\/nats\/nats-server\.conf\n$/);
    const accepted = (file: string) => spawnSync(NATS_SERVER, ['-t', '-c', file], { encoding: 'utf8' });
    expect(accepted(config).stderr).toMatch(/is valid/);
    const broken = writeConfiguration('broken.conf', fillIn().replace('/tls.crt', '/missing.crt'));
    expect(accepted(broken).status).not.toBe(0);
  });

  it('shows a configuration in which two servers form a cluster that accepts credentials over TLS', async () => {
    const ports = await Promise.all(Array.from({ length: 6 }, freePort));
    const processes: ChildProcess[] = [];
    const connections: NatsConnection[] = [];
    try {
      for (const [index, [client, websocket, cluster, other]] of [
        [ports[0], ports[1], ports[2], ports[5]],
        [ports[3], ports[4], ports[5], ports[2]],
      ].entries()) {
        const text = fillIn()
          .replace('fr-par-1', `fr-par-${index}`)
          .replace('0.0.0.0:4222', `127.0.0.1:${client}`)
          .replace('0.0.0.0:443', `127.0.0.1:${websocket}`)
          .replace('0.0.0.0:6222', `127.0.0.1:${cluster}`)
          .replace(/routes: .*/, `routes: ["nats-route://127.0.0.1:${other}"]`)
          .replace(/store_dir: .*/, `store_dir: "${join(folder, `streams-${index}`)}"`);
        const config = writeConfiguration(`server-${index}.conf`, text);
        processes.push(spawn(NATS_SERVER, ['-c', config], { stdio: 'ignore' }));
      }
      const { content } = await newCreds(local, REGION);
      const enter = async (port: number | undefined) => {
        const connection = await connect({
          servers: `tls://127.0.0.1:${port}`,
          authenticator: credsAuthenticator(new TextEncoder().encode(content)),
          tls: { ca: certificate },
          waitOnFirstConnect: true,
          reconnectTimeWait: 50,
        });
        connections.push(connection);
        return connection;
      };
      const [one, two] = [await enter(ports[0]), await enter(ports[3])];
      const heard: string[] = [];
      two.subscribe('across', {
        callback: (_error, message) => {
          heard.push(message.string());
        },
      });
      await two.flush();
      // The routes can take a moment longer than the clients.
      await expect
        .poll(async () => {
          one.publish('across', 'hello');
          await one.flush();
          return heard[0];
        })
        .toBe('hello');
    } finally {
      await Promise.all(connections.map((connection) => connection.close()));
      for (const child of processes) {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await gone;
      }
    }
  });

  it('shows requests that verify the configuration', async () => {
    const [resolver = '', revoke = ''] = codeOf('operate/nats-servers', 'sh')
      .filter((code) => code.startsWith('curl'))
      .map((code) => code.replaceAll('https://latchkey.example.com', local.stack.origin));
    const creds = await newCreds(local, REGION);
    const env = { ...process.env, LATCHKEY_SECRET_KEY: local.owner.secret_key, CREDENTIALS_ID: creds.id };
    const printed = (code: string) => spawnSync('sh', ['-euc', code], { env, encoding: 'utf8' }).stdout;
    expect(printed(resolver)).toMatch(/^HTTP\/1.1 200/);
    expect(printed(revoke)).toMatch(/^Latchkey-Enforcement: enforced; servers=1/im);
  });
});

describe('the page about rotating keys', () => {
  it('shows a query that lists which sealing keys are in use', async () => {
    const [sql] = codeOf('operate/key-rotation', 'sh').flatMap(
      (code) => /"(select [^"]+)"/.exec(code)?.[1] ?? [],
    );
    const creds = await newCreds(local, REGION);
    const database = await local.stack.database('REGION_FR_PAR');
    const count = await database.prepare('select count(*) as n from nats_accounts').first('n');
    const { results } = await database.prepare(sql ?? '').all();
    expect(results).toEqual([{ sealing_key_id: '1', 'count(*)': count }]);
    expect(creds.content).not.toBe('');
  });

  it.each(['OPERATOR_SIGNING_SEED', 'SYSTEM_SEED_FR_PAR'])(
    'is right that credentials survive a new %s, and that revocations are enforced with it',
    async (name) => {
      const state = join(folder, name);
      const settings = { state, port: 0, onLog: () => {} };
      const first = await startStack(settings);
      const { owner } = first;
      if (!owner) expect.unreachable('a fresh state folder has no Owner');
      const creds = await newCreds({ ...local, stack: first, owner }, REGION).finally(first.stop);
      const file = join(state, 'secrets.json');
      const secrets = JSON.parse(readFileSync(file, 'utf8')) as { worker: Record<string, string> };
      const { [name]: replaced, ...worker } = secrets.worker;
      writeFileSync(file, JSON.stringify({ ...secrets, worker }));
      const second = await startStack(settings);
      try {
        expect(readFileSync(file, 'utf8')).not.toContain(replaced);
        const url = second.nats.get(REGION)?.url ?? '';
        expect(await access(url, creds.content)).toBe('yes');
        const { enforcement } = await revoke({ ...local, stack: second, owner }, creds);
        expect(enforcement).toBe('enforced; servers=1');
        expect(await access(url, creds.content)).toBe('refused');
      } finally {
        await second.stop();
      }
    },
  );
});
