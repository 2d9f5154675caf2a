/** What the forms of Queues and of Topics and Events do, as code. Tests run each sample. */
import type { AccessKeyProductId } from '../../../db/products.ts';
import type { Sample } from './samples.ts';

type Product = AccessKeyProductId;

const names: Record<Product, string> = { sqs: 'Sqs', sns: 'Sns' };

const client = (product: Product) => `import { createClient, Mnqv1beta1 } from '@scaleway/sdk';

const client = createClient({
  apiURL: «origin:json»,
  accessKey: process.env.LATCHKEY_ACCESS_KEY,
  secretKey: process.env.LATCHKEY_SECRET_KEY,
  defaultProjectId: «project:json»,
  defaultRegion: «region:json»,
});
const ${product} = new Mnqv1beta1.${names[product]}API(client);
`;

const path = (product: Product) => `«origin:plain»/mnq/v1beta1/regions/«region:plain»/${product}-credentials`;

/** Creates credentials with the form's name and permissions. */
export const createAccessKeyCredentials = (product: Product): Sample[] => [
  {
    language: 'curl',
    text: `curl -X POST \\
  "${path(product)}" \\
  -H "X-Auth-Token: $LATCHKEY_SECRET_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"project_id":«project:shelljson»,"name":«name:shelljson»,"permissions":«permissions:plain»}'
`,
  },
  {
    language: 'TypeScript',
    text: `import { writeFile } from 'node:fs/promises';
${client(product)}
const issued = await ${product}.create${names[product]}Credentials({
  name: «name:json»,
  permissions: «sdkPermissions:plain»,
});
// The only time that the secret key can be read.
const env = \`AWS_ACCESS_KEY_ID=\${issued.accessKey}\\nAWS_SECRET_ACCESS_KEY=\${issued.secretKey}\\n\`;
await writeFile('${product}.env', env, { mode: 0o600 });
`,
  },
];

/** Lists credentials, then updates and revokes those whose id is in CREDENTIALS_ID. */
export const manageAccessKeyCredentials = (product: Product): Sample[] => [
  {
    language: 'curl',
    text: `curl \\
  "${path(product)}?project_id=«project:plain»" \\
  -H "X-Auth-Token: $LATCHKEY_SECRET_KEY"

curl -X PATCH \\
  "${path(product)}/$CREDENTIALS_ID" \\
  -H "X-Auth-Token: $LATCHKEY_SECRET_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"permissions":{"can_publish":false,"can_receive":true}}'

curl -X DELETE \\
  "${path(product)}/$CREDENTIALS_ID" \\
  -H "X-Auth-Token: $LATCHKEY_SECRET_KEY"
`,
  },
  {
    language: 'TypeScript',
    text: `${client(product)}
const all = await ${product}.list${names[product]}Credentials().all();
console.table(all.map(({ id, name }) => ({ id, name })));

const ${product}CredentialsId = process.env.CREDENTIALS_ID ?? '';
await ${product}.update${names[product]}Credentials({
  ${product}CredentialsId,
  permissions: { canPublish: false, canReceive: true },
});
await ${product}.delete${names[product]}Credentials({ ${product}CredentialsId });
`,
  },
];
