/**
 * Rate limits stop guessing without blocking valid sign-ins and keys. The rate limit bindings are real, with tighter
 * limits than a deployment's.
 */
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { call, newOwner, postAuth, signIn } from './harness.ts';
import { emailsDuring, newEmail, tokenOf, USERS } from './people.ts';

let owner: Owner;

beforeAll(async () => {
  owner = await newOwner();
});

const tight = {
  ...env,
  MAIL: { transport: 'console' },
  SITE: { url: 'https://pages.latchkey.test' },
  SIGN_IN_LIMIT: env.TIGHT_SIGN_IN_LIMIT,
  ACCOUNT_LIMIT: env.TIGHT_ACCOUNT_LIMIT,
  TOKEN_LIMIT: env.TIGHT_TOKEN_LIMIT,
};

/** Returns a unique IP address. */
const newAddress = () => `2001:db8:${randomGroup()}:${randomGroup()}::1`;
const randomGroup = () => (crypto.getRandomValues(new Uint16Array(1))[0] ?? 0).toString(16);
const from = (address: string) => ({ 'CF-Connecting-IP': address });

/** Sends requests until one gets 429, at most `most` times. Resolves to the number that were not rate limited. */
async function allowed(
  most: number,
  countUntilLimited: () => Promise<Awaited<ReturnType<typeof call>>>,
): Promise<number> {
  for (let i = 0; i < most; i++) {
    const response = await countUntilLimited();
    if (response.status !== 429) continue;
    expect(response.body).toEqual({ type: 'too_many_requests', message: 'too many requests' });
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    return i;
  }
  return most;
}

describe('rate limits on password guessing', () => {
  it('block one account after a few attempts, while others from the same address can sign in', async () => {
    const headers = from(newAddress());
    const guess = { email: owner.email, password: 'a wrong guess' };
    // The rate limit period can end during the loop.
    expect(await allowed(20, () => postAuth('/sign-in/email', guess, { headers, env: tight }))).toBeLessThan(
      12,
    );
    const another = await newOwner();
    const { email, password } = another;
    expect((await postAuth('/sign-in/email', { email, password }, { headers, env: tight })).status).toBe(200);
  });

  it('block an address that tries many accounts, and the rest of its /64', async () => {
    const network = newAddress().slice(0, -1);
    let host = 1;
    const guess = () =>
      postAuth(
        '/sign-in/email',
        { email: `${crypto.randomUUID()}@example.com`, password: 'a wrong guess' },
        { headers: from(`${network}${host++}`), env: tight },
      );
    expect(await allowed(40, guess)).toBeLessThan(25);
  });

  it('block that network only: not the next /64, and not the user whose password is guessed', async () => {
    const group = randomGroup();
    const attempt = (network: string, email: string, password: string) =>
      postAuth(
        '/sign-in/email',
        { email, password },
        { headers: from(`2001:db8:${group}:${network}::1`), env: tight },
      );
    const person = await newOwner();
    expect(await allowed(20, () => attempt('1', person.email, 'a wrong guess'))).toBeLessThan(12);
    await allowed(40, () => attempt('1', newEmail(), 'a wrong guess'));
    expect((await attempt('2', person.email, person.password)).status).toBe(200);
  });

  it('block guesses of the current password in one session, and no other session of the network', async () => {
    const headers = from(newAddress());
    const browser = await signIn(owner.email, owner.password);
    const guess = { currentPassword: 'a wrong guess', newPassword: 'a long enough password' };
    const change = () => browser.post('/auth/change-password', guess, { headers, env: tight });
    expect(await allowed(20, change)).toBeLessThan(12);
    const another = await newOwner();
    const theirs = await signIn(another.email, another.password);
    const body = { currentPassword: another.password, newPassword: 'a long enough password' };
    const changed = await theirs.post('/auth/change-password', body, { headers, env: tight });
    expect(changed.status).toBe(200);
  });

  it('block repeated requests for password reset links', async () => {
    const headers = from(newAddress());
    const countUntilLimited = () =>
      postAuth('/request-password-reset', { email: newEmail() }, { headers, env: tight });
    expect(await allowed(40, countUntilLimited)).toBeLessThan(25);
  });
});

describe('rate limits on invitations', () => {
  it('limit the emails to one address, whoever invites it, and a blocked request changes nothing', async () => {
    const email = newEmail();
    let by = owner;
    const inviteAt = async () => {
      by = await newOwner();
      return call('POST', USERS, { token: by.secret_key, body: { email }, env: tight });
    };
    const mails = await emailsDuring(async () => expect(await allowed(20, inviteAt)).toBeLessThan(12));
    expect(mails.length).toBeLessThan(12);
    expect((await call('GET', USERS, { token: by.secret_key })).body.total_count).toBe(1);
  });

  it('do not apply when no email is sent', async () => {
    const body = { email: newEmail() };
    const quiet = { ...tight, MAIL: undefined } as unknown as typeof env;
    expect(await allowed(20, () => call('POST', USERS, { token: owner.secret_key, body, env: quiet }))).toBe(
      20,
    );
  });
});

describe('rate limits on token guessing', () => {
  const projects = '/account/v3/projects';

  /** Sends guesses until the network is over the limit, which lasts for the rest of the test. */
  async function overTheLimit(headers: Record<string, string>): Promise<void> {
    // Otherwise the rate limit period can end during the test.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - (Date.now() % 60_000) });
    onTestFinished(() => void vi.useRealTimers());
    const guess = () => call('GET', projects, { token: crypto.randomUUID(), headers, env: tight });
    expect(await allowed(20, guess)).toBeLessThan(12);
  }

  it('block after a few attempts, and then each guess costs one lookup that reads no row', async () => {
    const headers = from(newAddress());
    await overTheLimit(headers);
    const cost: Cost = { trips: 0, rowsRead: 0 };
    const bindings = { ...tight, IDENTITY: counted(env.IDENTITY, cost) };
    const response = await call('GET', projects, { token: crypto.randomUUID(), headers, env: bindings });
    expect([response.status, Number(response.headers.get('Retry-After')) > 0]).toEqual([429, true]);
    expect(cost).toMatchObject({ trips: 1, rowsRead: 0 });
  });

  it('block no valid key, session or link of the same network, even when this isolate has never seen it', async () => {
    const headers = from(newAddress());
    const fresh = await newOwner();
    const browser = await signIn(owner.email, owner.password);
    const email = newEmail();
    const invited = await call('POST', USERS, { token: fresh.secret_key, body: { email } });
    const token = tokenOf(invited.body.invitation_url);
    await overTheLimit(headers);
    const options = { headers, env: tight };
    expect((await call('GET', projects, { token: fresh.secret_key, ...options })).status).toBe(200);
    const made = { token: fresh.secret_key, body: { name: 'made' }, ...options };
    expect((await call('POST', projects, made)).status).toBe(200);
    expect((await browser.get(projects, options)).status).toBe(200);
    expect((await browser.get('/auth/get-session', options)).body.user).toMatchObject({ email: owner.email });
    expect((await postAuth('/invitation', { token }, options)).status).toBe(200);
    const accepting = { token, name: 'New', password: 'a long enough password' };
    expect((await postAuth('/accept-invitation', accepting, options)).status).toBe(200);
  });

  it.each([
    ['/invitation', { token: 'A'.repeat(43) }],
    ['/accept-invitation', { token: 'A'.repeat(43), name: 'x', password: 'a long enough password' }],
    ['/reset-password', { token: 'guessed', newPassword: 'a long enough password' }],
    ['/sign-in/link', { token: 'A'.repeat(43) }],
  ])('also apply to link tokens at %s', async (path, body) => {
    const headers = from(newAddress());
    expect(await allowed(20, () => postAuth(path, body, { headers, env: tight }))).toBeLessThan(12);
  });

  it('count each zone separately for requests of Workers, which share one address', async () => {
    const workers = from('2a06:98c0:3600::103');
    const zone = `${crypto.randomUUID()}.example`;
    await overTheLimit({ ...workers, 'CF-Worker': zone });
    const guess = { token: crypto.randomUUID(), env: tight };
    const other = { ...workers, 'CF-Worker': 'another.example' };
    expect((await call('GET', projects, { ...guess, headers: other })).status).toBe(401);
    const same = { ...workers, 'CF-Worker': zone };
    expect((await call('GET', projects, { ...guess, headers: same })).status).toBe(429);
  });

  it('count a network regardless of how its address is written', async () => {
    const [high, low] = [randomGroup(), randomGroup()];
    await overTheLimit(from(`2001:db8:${high}:${low}::1`));
    const guess = (address: string) =>
      call('GET', projects, { token: crypto.randomUUID(), headers: from(address), env: tight });
    for (const spelled of [
      `2001:0db8:${high.padStart(4, '0')}:${low.padStart(4, '0')}:0:0:0:2`,
      `2001:DB8:${high}:${low.toUpperCase()}:ffff:0:192.0.2.1`,
    ]) {
      expect([spelled, (await guess(spelled)).status]).toEqual([spelled, 429]);
    }
  });

  it('count an IPv4 address in either notation, and separate IPv4 addresses separately', async () => {
    await overTheLimit(from('::ffff:198.51.100.77'));
    const guess = (address: string) =>
      call('GET', projects, { token: crypto.randomUUID(), headers: from(address), env: tight });
    expect((await guess('198.51.100.77')).status).toBe(429);
    expect((await guess('::ffff:c633:644d')).status).toBe(429);
    expect((await guess('::ffff:198.51.100.78')).status).toBe(401);
  });

  it('apply to cookies of ended sessions', async () => {
    const browser = await signIn(owner.email, owner.password);
    expect((await browser.post('/auth/sign-out')).status).toBe(200);
    const headers = from(newAddress());
    expect(await allowed(20, () => browser.get(projects, { headers, env: tight }))).toBeLessThan(12);
  });

  it('do not count malformed keys, forged cookies or valid keys', async () => {
    const headers = from(newAddress());
    const countUntilLimited = (options: object) =>
      allowed(20, () => call('GET', projects, { env: tight, headers, ...options }));
    expect(await countUntilLimited({ token: 'nonsense' })).toBe(20);
    const Cookie = `__Secure-latchkey.session_token=forged.${btoa('x'.repeat(32))}`;
    expect(await countUntilLimited({ headers: { ...headers, Cookie } })).toBe(20);
    expect(await countUntilLimited({ token: owner.secret_key })).toBe(20);
  });
});
