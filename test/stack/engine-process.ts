/**
 * The program of an engine's process: fauxqs on 127.0.0.1 only, its queues and topics stored in a folder.
 *
 * node engine-process.ts <port> <folder> <region>
 *
 * fauxqs's own start listens on every address, so this program assembles its parts, and patches some of them.
 */
import { buildApp as untyped } from 'fauxqs';
import { checkRequest, mend, type Parts, type Refusal } from './engine-mends.ts';

interface Queue {
  persistence: unknown;
  changeVisibility(receiptHandle: string, seconds: number): void;
}

interface SqsStore {
  getQueueByArn(arn: string): Queue | undefined;
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

type Request = { body: unknown; headers: Record<string, string | undefined> };

interface Reply {
  raw: { destroyed: boolean };
  code(status: number): Reply;
  type(contentType: string): Reply;
  send(body: unknown): Reply;
}

interface App {
  addHook(name: 'preHandler', hook: (request: Request, reply: Reply) => Promise<unknown>): void;
  addHook(name: 'onSend', hook: (request: Request, reply: Reply, payload: unknown) => Promise<unknown>): void;
  addHook(name: 'preClose', hook: (done: () => void) => void): void;
  listen(where: { host: string; port: number }): Promise<unknown>;
  close(): Promise<unknown>;
}

// Its type declarations refer to files that it does not ship.
const buildApp = untyped as unknown as (options: object) => App;

// The package exports its main module only; the other modules are next to that.
const module = async (path: string) =>
  (await import(new URL(path, import.meta.resolve('fauxqs')).href)) as Record<string, unknown>;
const part = async <Part>(path: string, name: string) =>
  (await module(path))[name] as new (
    ...settings: string[]
  ) => Part;

const [port, folder = '', region = ''] = process.argv.slice(2);
const sqsStore = new (await part<SqsStore>('./sqs/sqsStore.js', 'SqsStore'))();
const snsStore = new (
  await part<Parts['snsStore'] & { persistence: unknown }>('./sns/snsStore.js', 'SnsStore')
)();
const persistence = new (await part<Persistence>('./persistence.js', 'PersistenceManager'))(folder);

// fauxqs would set the receive count to null, which its own table rejects: the message would be lost.
const makeReady = persistence.db.prepare(
  'update sqs_messages set receipt_handle = null, visibility_deadline = null where message_id = ?',
);
persistence.updateMessageReady = (id) => makeReady.run(id);

persistence.loadSqsAndSns(sqsStore, snsStore);
sqsStore.persistence = persistence;
snsStore.persistence = persistence;
for (const queue of sqsStore.allQueues()) queue.persistence = persistence;

const texts = (await module('./sqs/sqsTypes.js')) as unknown as Parts['texts'];
mend({ sqsStore, snsStore, texts });

const app = buildApp({ logger: false, defaultRegion: region, stores: { sqsStore, snsStore } });

const refuse = (reply: Reply, { code, message }: Refusal, isSqs: boolean) => {
  if (isSqs)
    return reply
      .code(400)
      .type('application/x-amz-json-1.0')
      .send({ __type: `com.amazonaws.sqs#${code}`, message });
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return reply.code(400).type('text/xml').send(`<ErrorResponse>${error}</ErrorResponse>`);
};
/** The batch entries that were rejected before fauxqs saw them. */
const refused = new WeakMap<Request, object[]>();

app.addHook('preHandler', async (request, reply) => {
  const isSqs = request.headers['x-amz-target'] !== undefined;
  if (typeof request.body !== 'object' || request.body === null) return undefined;
  const { refusal, failed = [] } = checkRequest(request, { sqsStore });
  if (refusal) return refuse(reply, refusal, isSqs);
  if (failed.length === 0) return undefined;
  const { Entries = [] } = request.body as { Entries?: unknown[] };
  if (Entries.length === 0)
    return reply.type('application/x-amz-json-1.0').send({ Successful: [], Failed: failed });
  refused.set(request, failed);
  return undefined;
});
app.addHook('onSend', async (request, _reply, payload) => {
  const failed = refused.get(request);
  if (!failed || typeof payload !== 'string') return payload;
  const answer = JSON.parse(payload) as { Failed?: object[] };
  return JSON.stringify({ ...answer, Failed: [...(answer.Failed ?? []), ...failed] });
});
// A receive whose client has disconnected still gets messages, and hides them from others until their visibility
// timeout ends.
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
