/** An email provider for tests: accepts the Worker's emails and stores them. */
import { createServer, type Server } from 'node:http';
import { vi } from 'vitest';

/** An email as the Worker posted it. */
export interface Mail {
  from: string;
  to: string;
  subject: string;
  text: string;
}

/** A running provider. */
export interface MailServer {
  /** The URL for emails. */
  endpoint: string;
  /** The token that authenticates the Worker. */
  token: string;
  mails: Mail[];
  /** Sets the status of the next responses; 200 at first. */
  answer(status: number): void;
  /** Returns the link in the newest email to an address, waiting for one after `seen` earlier ones. */
  linkFor(address: string, seen?: number): Promise<string>;
  close(): Promise<void>;
}

/** Starts a provider on this machine. */
export async function startMailServer(): Promise<MailServer> {
  const token = crypto.randomUUID();
  const mails: Mail[] = [];
  let status = 200;
  const server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (data) => {
      text += data;
    });
    request.on('end', () => {
      const known = request.headers.authorization === `Bearer ${token}`;
      if (known && status === 200) mails.push(JSON.parse(text) as Mail);
      response.writeHead(known ? status : 401).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}/send`,
    token,
    mails,
    answer(wanted) {
      status = wanted;
    },
    async linkFor(to, seen = 0) {
      const found = await vi.waitFor(
        () => {
          const mail = mails
            .filter((mail) => mail.to === to)
            .slice(seen)
            .at(-1);
          if (!mail) throw new Error(`no email to ${to}`);
          return mail;
        },
        { timeout: 30_000 },
      );
      return /https?:\S+#\S+/.exec(found.text)?.[0] ?? '';
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
