/** What the NATS forms do, as code. Tests run each sample. */
import type { Sample } from './samples.ts';

const CLIENT = `import { createClient, Mnqv1beta1 } from '@scaleway/sdk';

const client = createClient({
  apiURL: «origin:json»,
  accessKey: process.env.LATCHKEY_ACCESS_KEY,
  secretKey: process.env.LATCHKEY_SECRET_KEY,
  defaultProjectId: «project:json»,
  defaultRegion: «region:json»,
});
const nats = new Mnqv1beta1.NatsAPI(client);
`;

/** Creates credentials for the chosen account and saves the file. */
export const createNatsCredentials: Sample[] = [
  {
    language: 'curl',
    text: `curl -X POST \\
  "«origin:plain»/mnq/v1beta1/regions/«region:plain»/nats-credentials" \\
  -H "X-Auth-Token: $LATCHKEY_SECRET_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"nats_account_id":«account:shelljson»,"name":«name:shelljson»}'
`,
  },
  {
    language: 'TypeScript',
    text: `import { writeFile } from 'node:fs/promises';
${CLIENT}
const issued = await nats.createNatsCredentials({
  natsAccountId: «account:json»,
  name: «name:json»,
});
// The only time that the file can be read.
await writeFile('user.creds', issued.credentials?.content ?? '', { mode: 0o600 });
`,
  },
];

/** Lists the credentials of the chosen account, then revokes those whose id is in CREDENTIALS_ID. */
export const revokeNatsCredentials: Sample[] = [
  {
    language: 'curl',
    text: `curl \\
  "«origin:plain»/mnq/v1beta1/regions/«region:plain»/nats-credentials?nats_account_id=«account:plain»" \\
  -H "X-Auth-Token: $LATCHKEY_SECRET_KEY"

curl -X DELETE \\
  "«origin:plain»/mnq/v1beta1/regions/«region:plain»/nats-credentials/$CREDENTIALS_ID" \\
  -H "X-Auth-Token: $LATCHKEY_SECRET_KEY"
`,
  },
  {
    language: 'TypeScript',
    text: `${CLIENT}
const all = await nats.listNatsCredentials({ natsAccountId: «account:json» }).all();
console.table(all.map(({ id, name }) => ({ id, name })));

await nats.deleteNatsCredentials({ natsCredentialsId: process.env.CREDENTIALS_ID ?? '' });
`,
  },
];
