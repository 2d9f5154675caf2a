/** What the secret dialog shows for NATS: the `.creds` file, and a command that tries it. */
import type { Secret } from '../components/secret-dialog.ts';
import type { IssuedNatsCredentials, NatsAccount } from './api.ts';
import { fileStem } from './file-name.ts';
import { UNANSWERED } from './problems.ts';

/** The dialog's content for credentials of the account, just issued. */
export function natsSecret(issued: IssuedNatsCredentials, account: NatsAccount): Secret {
  const file = `${fileStem(issued.name, 'nats')}.creds`;
  const { content } = issued.credentials;
  return {
    fields: [{ label: file, value: content }],
    files: [{ name: file, content }],
    test: async () => {
      const code = await import('./nats-live.ts').catch(() => undefined);
      return code ? code.tryCreds(issued, account) : `${UNANSWERED}.`;
    },
    commands: [{ label: 'With Node.js', text: nodeCommand(file, account.endpoint) }],
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
