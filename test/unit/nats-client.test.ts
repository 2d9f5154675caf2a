/** The parser of the Worker's NATS client: the messages do not depend on how the stream is split into frames. */
import { describe, expect, it } from 'vitest';
import { type Incoming, messageParser } from '../../functions/nats/client.ts';

const STREAM = new TextEncoder().encode(
  [
    'INFO {"nonce":"a b  c"}\r\n',
    'PING\r\n',
    // Includes double spaces, which servers use, and a payload that looks like protocol lines and is not ASCII.
    'MSG _INBOX.a.1 1  23\r\nPING\r\nMSG x 1 3\r\n日本\r\n',
    'MSG _INBOX.a.1 1 _INBOX.reply 0\r\n\r\n',
    'HMSG _INBOX.a.2 1  16 16\r\nNATS/1.0 503\r\n\r\n\r\n',
    'HMSG\t_INBOX.a.3 1 reply 18 20\r\nNATS/1.0\r\nA: B\r\n\r\nok\r\n',
    "-ERR 'Authorization Violation'\r\n",
  ].join(''),
);

const MESSAGES: Incoming[] = [
  { type: 'line', words: ['INFO', '{"nonce":"a', 'b', 'c"}'], line: 'INFO {"nonce":"a b  c"}' },
  { type: 'line', words: ['PING'], line: 'PING' },
  { type: 'message', subject: '_INBOX.a.1', headers: '', text: 'PING\r\nMSG x 1 3\r\n日本' },
  { type: 'message', subject: '_INBOX.a.1', headers: '', text: '' },
  { type: 'message', subject: '_INBOX.a.2', headers: 'NATS/1.0 503\r\n\r\n', text: '' },
  { type: 'message', subject: '_INBOX.a.3', headers: 'NATS/1.0\r\nA: B\r\n\r\n', text: 'ok' },
  {
    type: 'line',
    words: ['-ERR', "'Authorization", "Violation'"],
    line: "-ERR 'Authorization Violation'",
  },
];

function parse(frames: readonly Uint8Array[]): Incoming[] {
  const messages: Incoming[] = [];
  const receive = messageParser((incoming) => messages.push(incoming));
  for (const frame of frames) receive(frame);
  return messages;
}

describe('the parser of the NATS client', () => {
  it('parses messages with and without headers, with a reply subject and with single spaces', () => {
    expect(parse([STREAM])).toEqual(MESSAGES);
  });

  it('parses messages split at any byte, also within CRLF, a character or a payload', () => {
    for (let cut = 0; cut <= STREAM.length; cut++) {
      expect(parse([STREAM.subarray(0, cut), STREAM.subarray(cut)]), `split at ${cut}`).toEqual(MESSAGES);
    }
  });

  it('parses messages that arrive one byte at a time', () => {
    expect(parse(Array.from(STREAM, (_, i) => STREAM.subarray(i, i + 1)))).toEqual(MESSAGES);
  });

  it('returns no incomplete message', () => {
    expect(parse([STREAM.subarray(0, STREAM.length - 1)])).toEqual(MESSAGES.slice(0, -1));
  });
});
