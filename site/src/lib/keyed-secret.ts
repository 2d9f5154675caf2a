/** What the secret dialog shows for Queues and for Topics and Events: two keys, and files that clients read them from. */
import type { Secret } from '../components/secret-dialog.ts';
import type { KeyedCredentials } from './api.ts';
import { fileStem } from './file-name.ts';
import type { KeyedId, KeyedProduct } from './keyed.ts';
import { UNANSWERED } from './problems.ts';

/** The dialog's content for credentials just issued; `endpoint` is where clients of the product send their requests. */
export function keyedSecret(issued: KeyedCredentials, product: KeyedProduct, endpoint: string): Secret {
  const { name, region, access_key: accessKey, secret_key: secretKey } = issued;
  const stem = fileStem(name, product.label.toLowerCase().replaceAll(' ', '-'));
  const env = lines(
    `AWS_ACCESS_KEY_ID=${accessKey}`,
    `AWS_SECRET_ACCESS_KEY=${secretKey}`,
    `AWS_REGION=${region}`,
    `AWS_ENDPOINT_URL_${product.id.toUpperCase()}=${endpoint}`,
  );
  const profile = lines(
    `[profile latchkey-${product.id}-${region}]`,
    `aws_access_key_id = ${accessKey}`,
    `aws_secret_access_key = ${secretKey}`,
    `region = ${region}`,
    `endpoint_url = ${endpoint}`,
  );
  const csv = lines(
    'Name,Product,Region,Endpoint,Access key,Secret key',
    [name, product.label, region, endpoint, accessKey, secretKey].map(quoted).join(','),
  );
  return {
    fields: [
      { label: 'Access key', value: accessKey },
      { label: 'Secret key', value: secretKey },
    ],
    all: lines(`Access key: ${accessKey}`, `Secret key: ${secretKey}`),
    files: [
      { name: `${stem}.env`, label: '.env', content: env },
      { name: `${stem}.aws`, label: 'AWS profile', content: profile },
      { name: `${stem}.csv`, label: 'CSV', content: csv },
    ],
    test: async () => {
      const code = await import('./keyed-test.ts').catch(() => undefined);
      return code ? code.tryKeys(issued, product, endpoint) : `${UNANSWERED}.`;
    },
    commands: [{ label: 'With Node.js', text: COMMANDS[product.id](`${stem}.env`) }],
  };
}

const COMMANDS: Record<KeyedId, (file: string) => string> = {
  // Every permission lets a queue be looked up; that there is none of the name is an answer to a signature accepted.
  sqs: (file) => `npm install @aws-sdk/client-sqs
node --env-file=${file} --input-type=module -e '
import { GetQueueUrlCommand, QueueDoesNotExist, SQSClient } from "@aws-sdk/client-sqs";
const queues = new SQSClient();
await queues.send(new GetQueueUrlCommand({ QueueName: "latchkey-test" })).catch((error) => {
  if (!(error instanceof QueueDoesNotExist)) throw error;
});
console.log("accepted");'`,
  sns: (file) => `npm install @aws-sdk/client-sns
node --env-file=${file} --input-type=module -e '
import { ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
const topics = new SNSClient();
await topics.send(new ListTopicsCommand());
console.log("accepted");'`,
};

const lines = (...texts: string[]) => texts.map((text) => `${text}\n`).join('');

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
