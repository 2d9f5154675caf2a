/** The content of the secret dialog for Queues and for Topics and Events: keys, and files with them for clients. */

import type { AccessKeyCredentials } from '../../api/api.ts';
import type { Secret } from '../../ui/dialogs/secret-dialog.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';
import { asciiWord, fileStem } from '../file-name.ts';
import type { AccessKeyProduct, AccessKeyProductId } from './products.ts';

/** Returns the dialog's content for new credentials. `endpoint` is the product's URL for clients. */
export function accessKeySecret(
  issued: AccessKeyCredentials,
  product: AccessKeyProduct,
  endpoint: string,
): Secret {
  const { name, region, access_key: accessKey, secret_key: secretKey } = issued;
  const { id, slug, label } = product;
  const stem = `${fileStem(name, 'credentials')}-${slug}-${region}`;
  // SDKs only read profile names in ASCII, and names of credentials are not unique.
  const profileName = `${asciiWord(name, 'credentials')}-${slug}-${region}-${accessKey.slice(-4)}`;
  const env = lines(
    `AWS_ACCESS_KEY_ID=${accessKey}`,
    `AWS_SECRET_ACCESS_KEY=${secretKey}`,
    `AWS_REGION=${region}`,
    // For the AWS CLI and the SDK for Python.
    `AWS_DEFAULT_REGION=${region}`,
    `AWS_ENDPOINT_URL_${id.toUpperCase()}=${endpoint}`,
  );
  const profile = lines(
    `[profile ${profileName}]`,
    `aws_access_key_id = ${accessKey}`,
    `aws_secret_access_key = ${secretKey}`,
    `region = ${region}`,
    `endpoint_url = ${endpoint}`,
  );
  const csv = lines(
    'Name,Product,Region,Endpoint,Access key,Secret key',
    [name, label, region, endpoint, accessKey, secretKey].map(quoted).join(','),
  );
  const listing = product.listable || issued.permissions.can_manage;
  return {
    fields: [
      { label: 'Access key', value: accessKey },
      { label: 'Secret key', value: secretKey, secret: true },
      { label: 'Endpoint', value: endpoint },
      { label: 'Region', value: region },
    ],
    all: env,
    files: [
      { name: `${stem}.env`, label: '.env', content: env },
      { name: `${stem}.aws`, label: 'AWS profile', content: profile },
      { name: `${stem}.csv`, label: 'CSV', content: csv },
    ],
    test: async () => {
      const code = await import('./test-keys.ts').catch(() => undefined);
      return code ? code.tryKeys(issued, product, endpoint) : UNLOADED;
    },
    commands: COMMANDS[id](`${stem}.env`, listing),
  };
}

/** Commands that test the keys in a file. `listing` is true if the keys allow listing resources. */
const COMMANDS: Record<AccessKeyProductId, (file: string, listing: boolean) => Secret['commands']> = {
  // Every permission allows looking up a queue. The error that it does not exist shows that the signature was accepted.
  sqs: (file, listing) => [
    {
      label: 'Node.js',
      text: `npm install @aws-sdk/client-sqs
node --env-file=${file} --input-type=module -e '
import { GetQueueUrlCommand, QueueDoesNotExist, SQSClient } from "@aws-sdk/client-sqs";
const queues = new SQSClient();
await queues.send(new GetQueueUrlCommand({ QueueName: "latchkey-test" })).catch((error) => {
  if (!(error instanceof QueueDoesNotExist)) throw error;
});
console.log("accepted");'`,
    },
    {
      label: 'Python',
      text: `pip install boto3
set -a; . ./${file}; set +a
python3 -c '
import boto3
queues = boto3.client("sqs")
try:
    queues.get_queue_url(QueueName="latchkey-test")
except queues.exceptions.QueueDoesNotExist:
    pass
print("accepted")'`,
    },
    {
      label: 'AWS CLI',
      text: inShell(file, `aws sqs ${listing ? 'list-queues' : 'get-queue-url --queue-name orders'}`),
    },
    {
      label: 'curl',
      text: inShell(
        file,
        signed(
          'sqs',
          '-H "Content-Type: application/x-amz-json-1.0"',
          listing
            ? '-H "X-Amz-Target: AmazonSQS.ListQueues" -d "{}"'
            : `-H "X-Amz-Target: AmazonSQS.GetQueueUrl" -d '{"QueueName":"orders"}'`,
        ),
      ),
    },
  ],
  sns: (file) => [
    {
      label: 'Node.js',
      text: `npm install @aws-sdk/client-sns
node --env-file=${file} --input-type=module -e '
import { ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
const topics = new SNSClient();
await topics.send(new ListTopicsCommand());
console.log("accepted");'`,
    },
    {
      label: 'Python',
      text: `pip install boto3
set -a; . ./${file}; set +a
python3 -c '
import boto3
boto3.client("sns").list_topics()
print("accepted")'`,
    },
    { label: 'AWS CLI', text: inShell(file, 'aws sns list-topics') },
    { label: 'curl', text: inShell(file, signed('sns', '-d "Action=ListTopics&Version=2010-03-31"')) },
  ],
};

const inShell = (file: string, command: string) => `set -a; . ./${file}; set +a\n${command}`;

/** curl reads the secret key from standard input, to keep it out of the list of processes. */
const signed = (product: AccessKeyProductId, ...options: string[]) =>
  [
    `echo "user = $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" | curl --config - --silent --show-error --fail-with-body`,
    `--aws-sigv4 "aws:amz:$AWS_REGION:${product}"`,
    ...options,
    `"$AWS_ENDPOINT_URL_${product.toUpperCase()}/"`,
  ].join(' \\\n  ');

const lines = (...texts: string[]) => texts.map((text) => `${text}\n`).join('');

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
