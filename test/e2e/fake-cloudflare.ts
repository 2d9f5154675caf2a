/**
 * The parts of Cloudflare's API that wrangler needs for a deployment: D1 databases on SQLite, and the secrets and
 * code of one Worker. Accepts any token. Its responses are based on wrangler's requests.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../stack/databases.ts';

interface FakeDatabase {
  uuid: string;
  location: string | undefined;
  sqlite: DatabaseSync;
}

/** A fake account. */
export interface FakeCloudflare {
  /** The environment that makes wrangler use it. */
  environment: Record<string, string>;
  /** The databases by name. */
  databases: Map<string, FakeDatabase>;
  /** The secrets of the deployed Worker; undefined before the first deployment. */
  worker: { secrets: Record<string, string>; uploads: number } | undefined;
  /** The migrations of Durable Objects that uploads contained. */
  migrations: Migrations[];
  /** The tag of the last applied migration. */
  migrationTag: string | undefined;
  /** Each request that changes data: `POST /d1/database`, … */
  changes: string[];
  /** Makes the next upload of code fail. */
  failNextUpload: boolean;
  close(): Promise<void>;
}

/** The migrations in the metadata of an upload: only those after `old_tag`. */
interface Migrations {
  old_tag?: string;
  new_tag: string;
  steps: { new_sqlite_classes: string[] }[];
}

class NotFound extends Error {}

/** Starts an empty account. */
export async function fakeCloudflare(): Promise<FakeCloudflare> {
  const server = createServer((request, response) => {
    respond(account, request)
      .then((result) => reply(response, 200, { success: true, errors: [], messages: [], result }))
      .catch((error: Error) => {
        const code = error instanceof NotFound ? 10007 : 10000;
        reply(response, code === 10007 ? 404 : 400, {
          success: false,
          errors: [{ code, message: error.message }],
        });
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const account: FakeCloudflare = {
    environment: {
      CLOUDFLARE_API_BASE_URL: `${origin}/client/v4`,
      CLOUDFLARE_API_TOKEN: 'believed',
      CLOUDFLARE_ACCOUNT_ID: 'account',
    },
    databases: new Map(),
    worker: undefined,
    migrations: [],
    migrationTag: undefined,
    changes: [],
    failNextUpload: false,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return account;
}

function reply(response: ServerResponse, status: number, body: Record<string, unknown>): void {
  // wrangler compares the tag of the uploaded file, which is outside of the API's usual response.
  if (body.result instanceof UploadedFile) {
    response.writeHead(200, { etag: `"${body.result.tag}"` }).end();
    return;
  }
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

class UploadedFile {
  readonly tag: string;
  constructor(bytes: Uint8Array) {
    this.tag = createHash('md5').update(bytes).digest('hex');
  }
}

let uploaded = '';

async function respond(account: FakeCloudflare, request: IncomingMessage): Promise<unknown> {
  const bytes = Buffer.concat(await request.toArray());
  const path = new URL(request.url ?? '', 'http://localhost').pathname;
  const call = `${request.method} ${path.replace('/client/v4/accounts/account', '')}`;
  if (request.method !== 'GET') account.changes.push(call);
  if (path === '/upload') {
    uploaded = bytes.toString('utf8');
    return new UploadedFile(bytes);
  }
  if (path.includes('/d1/')) return d1(account, call, JSON.parse(bytes.toString('utf8') || '{}'));
  return workers(account, call, bytes.toString('utf8'));
}

function d1(account: FakeCloudflare, call: string, body: Record<string, string>): unknown {
  const list = [...account.databases].map(([name, { uuid }]) => ({ name, uuid }));
  if (call === 'GET /d1/database') return list;
  if (call === 'POST /d1/database') {
    const name = body.name ?? '';
    const uuid = crypto.randomUUID();
    account.databases.set(name, {
      uuid,
      location: body.primary_location_hint,
      sqlite: new DatabaseSync(':memory:'),
    });
    return { name, uuid };
  }
  const [, , , uuid, action] = call.split('/');
  const database = [...account.databases.values()].find((each) => each.uuid === uuid);
  if (!database) throw new NotFound(`no database ${uuid}`);
  if (action === 'query')
    return [{ success: true, meta: {}, results: query(database.sqlite, body.sql ?? '') }];
  if (action !== 'import') throw new NotFound(call);
  if (body.action === 'init') {
    const upload = `${account.environment.CLOUDFLARE_API_BASE_URL?.replace('/client/v4', '')}/upload`;
    return { success: true, messages: [], filename: 'file', at_bookmark: '1', upload_url: upload };
  }
  inTransaction(database.sqlite, () => database.sqlite.exec(uploaded));
  const meta = { duration: 1, rows_read: 1, rows_written: 1, size_after: 1, served_by: 'fake' };
  return {
    success: true,
    messages: [],
    type: 'import',
    status: 'complete',
    at_bookmark: '2',
    result: { num_queries: 1, final_bookmark: '2', meta },
  };
}

function query(sqlite: DatabaseSync, sql: string): unknown[] {
  if (/^\s*select/i.test(sql)) return sqlite.prepare(sql).all();
  inTransaction(sqlite, () => sqlite.exec(sql));
  return [];
}

function workers(account: FakeCloudflare, call: string, body: string): unknown {
  const [, name, detail] = /\/workers\/(?:scripts|services|workers)\/([^/]+)(?:\/(.*))?$/.exec(call) ?? [];
  if (call === 'GET /workers/subdomain') return { subdomain: 'account' };
  if (!name) return {};
  // An upload with migrations is a script, others are versions of it.
  if ((call.startsWith('PUT') && !detail) || call.endsWith('/versions')) return upload(account, body);
  if (detail === 'deployments') return { deployments: [] };
  if (detail === 'assets-upload-session') return { jwt: 'e30.e30.e30', buckets: [] };
  if (!account.worker) throw new NotFound('This Worker does not exist on your account.');
  if (detail === 'secrets') return Object.keys(account.worker.secrets).map((each) => ({ name: each }));
  if (call.includes('/services/'))
    return {
      default_environment: {
        script: { last_deployed_from: 'wrangler', migration_tag: account.migrationTag },
      },
    };
  return { subdomain: { enabled: true, previews_enabled: true }, enabled: true };
}

function upload(account: FakeCloudflare, form: string): unknown {
  if (account.failNextUpload) {
    account.failNextUpload = false;
    throw new Error('The code was not accepted.');
  }
  account.worker ??= { secrets: {}, uploads: 0 };
  account.worker.uploads++;
  const metadata = /name="metadata"\r\n\r\n(\{.*?\})\r\n/s.exec(form)?.[1] ?? '{}';
  const { bindings, migrations } = JSON.parse(metadata) as {
    bindings: { type: string; name: string; text: string }[];
    migrations?: Migrations;
  };
  if (migrations) {
    account.migrations.push(migrations);
    account.migrationTag = migrations.new_tag;
  }
  for (const { type, name, text } of bindings)
    if (type === 'secret_text') account.worker.secrets[name] = text;
  return {
    id: 'latchkey',
    etag: 'tag',
    startup_time_ms: 1,
    resources: { script: { etag: 'tag' } },
    deployment_id: 'one',
    available_on_subdomain: true,
  };
}
