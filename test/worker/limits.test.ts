/** Guessing is limited before it costs anything. The bindings are real, with tighter limits than a deployment's. */
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Owner } from '../../db/identity/bootstrap.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { call, newOwner, postAuth, signIn } from './harness.ts';
import { mailsOf, newEmail, USERS } from './people.ts';

let owner: Owner;

beforeAll(async () => {
  owner = await newOwner();
});

const tight = {
  ...env,
  MAIL: { transport: 'console' },
  SIGN_IN_LIMIT: env.TIGHT_SIGN_IN_LIMIT,
  ACCOUNT_LIMIT: env.TIGHT_ACCOUNT_LIMIT,
  TOKEN_LIMIT: env.TIGHT_TOKEN_LIMIT,
};

/** An address that no other test has. */
const newAddress = () => `2001:db8:${randomGroup()}:${randomGroup()}::1`;
const randomGroup = () => (crypto.getRandomValues(new Uint16Array(1))[0] ?? 0).toString(16);
const from = (address: string) => ({ 'CF-Connecting-IP': address });

/** Asks until it is refused with 429, at most `most` times; resolves to how often it was heard. */
async function heard(most: number, ask: () => Promise<Awaited<ReturnType<typeof call>>>): Promise<number> {
  for (let i = 0; i < most; i++) {
    const answer = await ask();
    if (answer.status !== 429) continue;
    expect(answer.body).toEqual({ type: 'too_many_requests', message: 'too many requests' });
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
    return i;
  }
  return most;
}

describe('guessing a password', () => {
  it('ends after a few attempts at one account, while others from there can sign in', async () => {
    const headers = from(newAddress());
    const guess = { email: owner.email, password: 'a wrong guess' };
    // A window may end meanwhile.
    expect(await heard(20, () => postAuth('/sign-in/email', guess, { headers, env: tight }))).toBeLessThan(
      12,
    );
    const another = await newOwner();
    const { email, password } = another;
    expect((await postAuth('/sign-in/email', { email, password }, { headers, env: tight })).status).toBe(200);
  });

  it('ends for an address that tries many accounts, and the rest of its /64', async () => {
    const network = newAddress().slice(0, -1);
    let host = 1;
    const guess = () =>
      postAuth(
        '/sign-in/email',
        { email: `${crypto.randomUUID()}@example.com`, password: 'a wrong guess' },
        { headers: from(`${network}${host++}`), env: tight },
      );
    expect(await heard(40, guess)).toBeLessThan(25);
  });

  it.each([
    ['/invitation', { token: 'A'.repeat(43) }],
    ['/accept-invitation', { token: 'A'.repeat(43) }],
    ['/reset-password', { token: 'guessed', newPassword: 'a long enough password' }],
    ['/request-password-reset', { email: 'nobody@example.com' }],
  ])('or a token ends at %s as well', async (path, body) => {
    const headers = from(newAddress());
    expect(await heard(40, () => postAuth(path, body, { headers, env: tight }))).toBeLessThan(25);
  });
});

describe('inviting', () => {
  it('sends one address no more than a few mails, whoever asks for them, and then changes nothing', async () => {
    const email = newEmail();
    let by = owner;
    const invite = async () => {
      by = await newOwner();
      return call('POST', USERS, { token: by.secret_key, body: { email }, env: tight });
    };
    const mails = await mailsOf(async () => expect(await heard(20, invite)).toBeLessThan(12));
    expect(mails.length).toBeLessThan(12);
    expect((await call('GET', USERS, { token: by.secret_key })).body.total_count).toBe(1);
  });

  it('is not limited where no mail is sent', async () => {
    const body = { email: newEmail() };
    const quiet = { ...tight, MAIL: undefined } as unknown as typeof env;
    expect(await heard(20, () => call('POST', USERS, { token: owner.secret_key, body, env: quiet }))).toBe(
      20,
    );
  });
});

describe('guessing a key', () => {
  const projects = '/account/v3/projects';

  it('ends after a few, then costs no look-up, and lets nobody in from there', async () => {
    // What is silenced is heard again when the minute is over: here it never is.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - (Date.now() % 60_000) });
    onTestFinished(() => void vi.useRealTimers());
    const headers = from(newAddress());
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const bindings = { ...tight, IDENTITY: counted(env.IDENTITY, cost) };
    const guess = () => call('GET', projects, { token: crypto.randomUUID(), headers, env: bindings });
    expect(await heard(20, guess)).toBeLessThan(12);
    const { trips } = cost;
    for (const token of [crypto.randomUUID(), owner.secret_key]) {
      const answer = await call('GET', projects, { token, headers, env: bindings });
      if (answer.status === 429) continue;
      throw new Error(`was heard: ${answer.status}`);
    }
    expect(cost.trips).toBe(trips);
    const elsewhere = { token: owner.secret_key, headers: from(newAddress()), env: bindings };
    expect((await call('GET', projects, elsewhere)).status).toBe(200);
  });

  it('ends for the cookies of sessions that are over', async () => {
    const browser = await signIn(owner.email, owner.password);
    expect((await browser.post('/auth/sign-out')).status).toBe(200);
    const headers = from(newAddress());
    expect(await heard(20, () => browser.get(projects, { headers, env: tight }))).toBeLessThan(12);
  });

  it('is not what a malformed key, a forged cookie or a good key is', async () => {
    const headers = from(newAddress());
    const ask = (options: object) =>
      heard(20, () => call('GET', projects, { env: tight, headers, ...options }));
    expect(await ask({ token: 'nonsense' })).toBe(20);
    const Cookie = `__Secure-latchkey.session_token=forged.${btoa('x'.repeat(32))}`;
    expect(await ask({ headers: { ...headers, Cookie } })).toBe(20);
    expect(await ask({ token: owner.secret_key })).toBe(20);
  });
});
