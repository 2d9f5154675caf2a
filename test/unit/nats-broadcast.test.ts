/**
 * Requests to all servers of a region: when all have replied, and how many are missing, by the replies on each
 * connection.
 */
import { expect, it } from 'vitest';
import { Broadcast, type ServerCount, type ServerResponse } from '../../functions/nats/broadcast.ts';
import type { NatsClient } from '../../functions/nats/client.ts';

const OK: ServerResponse = { data: { code: 200 } };

/** A connection to a server with this ID. The test sends the replies. */
function connection(id: string) {
  let receive: (text: string) => void = () => {};
  const client: NatsClient = {
    url: `ws://${id}`,
    server: { id, name: id, version: '2.15.3' },
    lost: new Promise(() => {}),
    requestMany: (_subject, _payload, each) => {
      receive = (text) => each({ text, noResponders: false });
      return () => {};
    },
    request: async () => [],
    close: () => {},
  };
  const reply = (server: string, of: ServerResponse) =>
    receive(JSON.stringify({ ...of, server: { id: server, name: server } }));
  return { client, reply };
}

const countOf = (active: number, ...replied: string[]): ServerCount => ({
  at: 0,
  active,
  replied: new Map(replied.map((id) => [id, id])),
  stop: () => {},
});

const acknowledges = ({ data }: ServerResponse) => data?.code === 200;

/**
 * Returns the count of servers without configured addresses, none of which reported the number of active servers
 * except in `count`.
 */
function sendRequest(count: ServerCount, ...replies: [server: string, reply: ServerResponse][]) {
  const request = new Broadcast(acknowledges);
  const { client, reply } = connection('one');
  request.send(client, 'subject', '', count);
  for (const [server, of] of replies) reply(server, of);
  request.stop();
  return request.outcome([{ url: client.url, id: 'one' }]);
}

it('a request is complete when as many servers have replied as one of them reports', () => {
  expect(sendRequest(countOf(2, 'one', 'two'), ['one', OK], ['two', OK])).toMatchObject({
    servers: 2,
    missing: [],
  });
});

it('a server that replies with an error counts as active and as missing', () => {
  const failed: ServerResponse = { error: { code: 500, description: 'no' } };
  expect(sendRequest(countOf(2, 'one', 'two'), ['one', OK], ['two', failed])).toMatchObject({
    servers: 2,
    missing: ['two'],
  });
});

it('unidentified servers are counted as missing', () => {
  expect(sendRequest(countOf(3, 'one', 'two'), ['one', OK], ['two', OK])).toMatchObject({
    servers: 3,
    missing: ['1 more'],
  });
});

it('a connection on which no server reported the number of servers is never complete', () => {
  expect(sendRequest(countOf(0), ['one', OK])).toMatchObject({ servers: 2, missing: ['1 more'] });
});
