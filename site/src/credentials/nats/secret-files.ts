/** The content of the secret dialog for NATS: the `.creds` file, and commands to test it. */

import type { NatsAccount } from '../../api/api.ts';
import type { Secret } from '../../ui/dialogs/secret-dialog.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';
import { fileStem } from '../file-name.ts';
import type { CreatedNatsCredentials } from './user-key.ts';

/** Returns the dialog's content for new credentials. */
export function natsSecret(issued: CreatedNatsCredentials, account: NatsAccount): Secret {
  const { region, endpoint } = account;
  const file = `${fileStem(issued.name, 'credentials')}-nats-${region}.creds`;
  const { content } = issued.credentials;
  return {
    note: issued.keyOrigin,
    fields: [
      { label: file, value: content, secret: true },
      { label: 'Endpoint', value: endpoint },
      { label: 'Region', value: region },
    ],
    files: [{ name: file, content }],
    test: async () => {
      const code = await import('./test-connection.ts').catch(() => undefined);
      return code ? code.tryCreds(issued, account) : UNLOADED;
    },
    commands: issued.nats_role_id
      ? // The role may not allow a test subject, so this only connects.
        [{ label: 'nats CLI', text: `nats --server ${endpoint} --creds ${file} rtt` }]
      : [
          {
            label: 'nats CLI',
            text: `nats --server ${endpoint} --creds ${file} pub latchkey.test "it works"`,
          },
          { label: 'Node.js', text: nodeCommand(file, endpoint) },
          { label: 'Python', text: pythonCommand(file, endpoint) },
        ],
  };
}

function nodeCommand(file: string, endpoint: string): string {
  return `npm install @nats-io/transport-node
node --input-type=module -e '
import { readFileSync } from "node:fs";
import { connect, credsAuthenticator } from "@nats-io/transport-node";
const nats = await connect({
  servers: "${endpoint}",
  authenticator: credsAuthenticator(readFileSync("${file}")),
});
const inbox = nats.subscribe("latchkey.test", { max: 1 });
nats.publish("latchkey.test", "it works");
for await (const message of inbox) console.log(message.string());
await nats.close();'`;
}

function pythonCommand(file: string, endpoint: string): string {
  return `pip install "nats-py[nkeys]"
python3 -c '
import asyncio, nats
async def main():
    client = await nats.connect("${endpoint}", user_credentials="${file}")
    inbox = await client.subscribe("latchkey.test")
    await client.publish("latchkey.test", b"it works")
    print((await inbox.next_msg()).data.decode())
    await client.close()
asyncio.run(main())'`;
}
