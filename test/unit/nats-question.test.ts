/** When a question to all servers is done, and how many servers there are, by the replies on each connection. */
import { expect, it } from 'vitest';
import type { NatsClient } from '../../functions/nats/client.ts';
import { type Answer, type Count, Question } from '../../functions/nats/question.ts';

const OK: Answer = { data: { code: 200 } };

/** A connection to a server of this id, on which replies come when the test says so. */
function connection(id: string) {
  let receive: (text: string) => void = () => {};
  const client: NatsClient = {
    url: `ws://${id}`,
    server: { id, name: id, version: '2.15.3' },
    lost: new Promise(() => {}),
    ask: (_subject, _payload, each) => {
      receive = (text) => each({ text, noResponders: false });
      return () => {};
    },
    request: async () => [],
    close: () => {},
  };
  const answer = (server: string, of: Answer) =>
    receive(JSON.stringify({ ...of, server: { id: server, name: server } }));
  return { client, answer };
}

const countOf = (active: number, ...replied: string[]): Count => ({
  at: 0,
  active,
  replied: new Map(replied.map((id) => [id, id])),
  stop: () => {},
});

const acknowledges = ({ data }: Answer) => data?.code === 200;

/** What came of a question to servers that are not configured, of which none said how many are active but in `count`. */
function ask(count: Count, ...answers: [server: string, answer: Answer][]) {
  const question = new Question(acknowledges);
  const { client, answer } = connection('one');
  question.put(client, 'subject', '', count);
  for (const [server, of] of answers) answer(server, of);
  question.stop();
  return question.outcome([{ url: client.url, id: 'one' }]);
}

it('everyone has answered when as many have as a server names', () => {
  expect(ask(countOf(2, 'one', 'two'), ['one', OK], ['two', OK])).toMatchObject({ servers: 2, missing: [] });
});

it('a server that answers with a failure counts, and is missing', () => {
  const failed: Answer = { error: { code: 500, description: 'no' } };
  expect(ask(countOf(2, 'one', 'two'), ['one', OK], ['two', failed])).toMatchObject({
    servers: 2,
    missing: ['two'],
  });
});

it('servers that nobody knows by name are missing, by their number', () => {
  expect(ask(countOf(3, 'one', 'two'), ['one', OK], ['two', OK])).toMatchObject({
    servers: 3,
    missing: ['1 more'],
  });
});

it('a connection on which nobody said how many servers there are never amounts to everyone', () => {
  expect(ask(countOf(0), ['one', OK])).toMatchObject({ servers: 2, missing: ['1 more'] });
});
