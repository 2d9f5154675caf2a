/**
 * The program of an engine's process: fauxqs, on 127.0.0.1 alone, its queues and topics kept in a folder.
 *
 *     node engine-process.ts <port> <folder> <region>
 *
 * Its own start listens on every address; so this puts it together from its parts, and mends two of them.
 */
import { buildApp as untyped } from 'fauxqs';

interface Queue {
  persistence: unknown;
  changeVisibility(receiptHandle: string, seconds: number): void;
}

interface SqsStore {
  persistence: unknown;
  allQueues(): Iterable<Queue>;
  getQueue(url: string): Queue | undefined;
}

interface Persistence {
  db: { prepare(sql: string): { run(...values: unknown[]): void } };
  updateMessageReady(messageId: string): void;
  loadSqsAndSns(sqs: SqsStore, sns: object): void;
  close(): void;
}

type Request = { body: unknown };
type Reply = { raw: { destroyed: boolean } };

interface App {
  addHook(name: 'onSend', hook: (request: Request, reply: Reply, payload: unknown) => Promise<unknown>): void;
  addHook(name: 'preClose', hook: (done: () => void) => void): void;
  listen(where: { host: string; port: number }): Promise<unknown>;
  close(): Promise<unknown>;
}

// Its declarations name files that it does not ship.
const buildApp = untyped as unknown as (options: object) => App;

// The package exports its assembly only; its parts lie beside that.
const part = async <Part>(path: string, name: string) => {
  const module = (await import(new URL(path, import.meta.resolve('fauxqs')).href)) as Record<string, unknown>;
  return module[name] as new (
    ...settings: string[]
  ) => Part;
};

const [port, folder = '', region = ''] = process.argv.slice(2);
const sqsStore = new (await part<SqsStore>('./sqs/sqsStore.js', 'SqsStore'))();
const snsStore = new (await part<{ persistence: unknown }>('./sns/snsStore.js', 'SnsStore'))();
const persistence = new (await part<Persistence>('./persistence.js', 'PersistenceManager'))(folder);

// It would set the count of receives to null, which its own table refuses: the message would be lost.
const makeReady = persistence.db.prepare(
  'update sqs_messages set receipt_handle = null, visibility_deadline = null where message_id = ?',
);
persistence.updateMessageReady = (id) => makeReady.run(id);

persistence.loadSqsAndSns(sqsStore, snsStore);
sqsStore.persistence = persistence;
snsStore.persistence = persistence;
for (const queue of sqsStore.allQueues()) queue.persistence = persistence;

const app = buildApp({ logger: false, defaultRegion: region, stores: { sqsStore, snsStore } });

// A receive whose client has gone still gets what comes, and keeps it from others until its visibility ends.
app.addHook('onSend', async (request, reply, payload) => {
  if (!reply.raw.destroyed || typeof payload !== 'string' || !payload.includes('"ReceiptHandle"'))
    return payload;
  const { QueueUrl = '' } = request.body as { QueueUrl?: string };
  const { Messages = [] } = JSON.parse(payload) as { Messages?: { ReceiptHandle: string }[] };
  const queue = sqsStore.getQueue(QueueUrl);
  for (const { ReceiptHandle } of Messages) queue?.changeVisibility(ReceiptHandle, 0);
  return payload;
});
app.addHook('preClose', (done) => {
  persistence.close();
  done();
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    app.close().then(() => process.exit(0));
  });
}
await app.listen({ host: '127.0.0.1', port: Number(port) });
