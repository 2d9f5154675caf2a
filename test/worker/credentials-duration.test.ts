/** The organization's longest duration of credentials: who can set it, and what it restricts. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PRODUCT_IDS } from '../../db/products.ts';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { type Cost, counted } from './cost.ts';
import { env } from './env.ts';
import { gated } from './fault.ts';
import {
  call,
  clientOf,
  databaseOf,
  identityRows,
  newOwner,
  REGIONS,
  rows,
  type SignedIn,
  signIn,
} from './harness.ts';
import { iamOf, newPerson } from './identity.ts';
import { newApplication, newKey } from './matrix-callers.ts';
import { atBrowser, grant, join, newMember } from './people.ts';

const HOUR = 3600;
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const settingsOf = ({ organization_id }: { organization_id: string }) =>
  `/organizations/${organization_id}/security-settings`;
const limit = async (owner: Owner, seconds: number) => {
  const { status, body } = await iamOf(owner.secret_key).patch(settingsOf(owner), {
    max_credentials_duration: seconds,
  });
  expect([status, body]).toEqual([200, { max_credentials_duration: seconds }]);
};

describe('the setting', () => {
  let owner: Owner;
  const read = async (secretKey = owner.secret_key) => (await iamOf(secretKey).get(settingsOf(owner))).body;
  const audit = () =>
    identityRows<{ resource_id: string; before: string; after: string }>(
      `select resource_id, before, after from audit_events
       where organization_id = ? and resource = 'organizations' and action = 'update' order by id`,
      owner.organization_id,
    );

  beforeAll(async () => {
    owner = await newOwner();
  });

  it('is 0 at first, and each change by an Owner has one audit row', async () => {
    expect(await read()).toEqual({ max_credentials_duration: 0 });
    await limit(owner, 0);
    await limit(owner, HOUR);
    await limit(owner, HOUR);
    expect(await read()).toEqual({ max_credentials_duration: HOUR });
    const principal = (await iamOf(owner.secret_key).get('/principal')).body;
    expect(principal.organizations).toMatchObject([{ max_credentials_duration: HOUR }]);
    await limit(owner, 0);
    const resource_id = owner.organization_id;
    expect(await audit()).toEqual([
      {
        resource_id,
        before: '{"max_credentials_duration":0}',
        after: `{"max_credentials_duration":${HOUR}}`,
      },
      {
        resource_id,
        before: `{"max_credentials_duration":${HOUR}}`,
        after: '{"max_credentials_duration":0}',
      },
    ]);
  });

  it('can be read with IAMReadOnly, and changed by Owners only', async () => {
    const before = await audit();
    const [reader, manager, member] = [
      await newPerson(owner),
      await newPerson(owner),
      await newPerson(owner),
    ];
    await grant(owner, reader.user_id, 'IAMReadOnly');
    await grant(owner, manager.user_id, 'IAMManager');
    expect(await read(reader.secret_key)).toEqual({ max_credentials_duration: 0 });
    for (const { secret_key } of [reader, manager, member]) {
      const refused = await iamOf(secret_key).patch(settingsOf(owner), { max_credentials_duration: 60 });
      const missing = { resource: secret_key === member.secret_key ? 'iam' : 'owner' };
      expect([refused.status, refused.body.details]).toMatchObject([403, [missing]]);
    }
    const second = await newPerson(owner, { role: 'owner' });
    expect(
      (await iamOf(second.secret_key).patch(settingsOf(owner), { max_credentials_duration: 0 })).status,
    ).toBe(200);
    expect(await audit()).toEqual(before);
  });

  it('of another organization looks like one that does not exist', async () => {
    const stranger = iamOf((await newOwner()).secret_key);
    for (const organization_id of [owner.organization_id, crypto.randomUUID()]) {
      for (const { status, body } of [
        await stranger.get(settingsOf({ organization_id })),
        await stranger.patch(settingsOf({ organization_id }), { max_credentials_duration: 1 }),
      ])
        expect([status, body.details]).toEqual([403, [{ resource: 'iam', action: 'read' }]]);
    }
    expect(await read()).toEqual({ max_credentials_duration: 0 });
  });

  it.each([
    [{ max_credentials_duration: -1 }, 'max_credentials_duration'],
    [{ max_credentials_duration: 1.5 }, 'max_credentials_duration'],
    [{ max_credentials_duration: '60' }, 'max_credentials_duration'],
    [{ max_credentials_duration: null }, 'max_credentials_duration'],
    [{ max_credentials_duration: 3_153_600_001 }, 'max_credentials_duration'],
    [{}, 'max_credentials_duration'],
    // A setting of Scaleway, which would not be in force.
    [{ max_credentials_duration: 60, enforce_password_renewal: true }, 'body'],
  ])('rejects %j', async (body, argument) => {
    const response = await iamOf(owner.secret_key).patch(settingsOf(owner), body);
    expect([response.status, response.body.details?.[0]?.argument_name]).toEqual([400, argument]);
    expect(await read()).toEqual({ max_credentials_duration: 0 });
  });
});

describe.each(REGIONS.flatMap((region) => PRODUCT_IDS.map((product) => ({ product, region }))))(
  'a limit on $product credentials in $region',
  ({ product, region }) => {
    let owner: Owner;
    let api: ReturnType<typeof clientOf>;
    let parent: Record<string, unknown>;
    const path = `/${product}-credentials`;

    const parentIn = async (of: Owner) => {
      const { project_id } = of;
      const client = clientOf(of, region);
      if (product === 'nats')
        return { nats_account_id: (await client.post('/nats-accounts', { project_id })).body.id };
      await client.post(`/activate-${product}`, { project_id });
      return { project_id, permissions: { can_receive: true } };
    };

    beforeAll(async () => {
      owner = await newOwner();
      api = clientOf(owner, region);
      parent = await parentIn(owner);
    });
    beforeEach(() => limit(owner, 0));

    const create = (expires_at?: string | null, options = {}) =>
      api.post(path, { ...parent, ...(expires_at !== undefined && { expires_at }) }, options);
    const newId = async (expires_at?: string) => (await create(expires_at)).body.id as string;
    const count = async () => (await api.get(`${path}?page_size=1`)).body.total_count;
    const expectRefused = (
      { status, body }: Awaited<ReturnType<typeof create>>,
      reason: 'required' | 'constraint',
    ) =>
      expect([status, body.details]).toEqual([
        400,
        [
          {
            argument_name: 'expires_at',
            reason,
            help_message: expect.stringMatching(/within 3600 seconds from now.*max_credentials_duration/),
          },
        ],
      ]);

    it('requires an expiry within it at creation', async () => {
      await limit(owner, HOUR);
      const before = await count();
      expectRefused(await create(), 'required');
      expectRefused(await create(null), 'required');
      expectRefused(await create(inSeconds(HOUR + 90)), 'constraint');
      expect(await count()).toBe(before);
      // Clocks can differ.
      expect((await create(inSeconds(HOUR + 30))).status).toBe(200);
      expect((await create(inSeconds(60))).status).toBe(200);
      await limit(owner, 0);
      expect((await create()).body.expires_at).toBeNull();
    });

    it('applies to every principal of the organization', async () => {
      await limit(owner, HOUR);
      const person = await newPerson(owner);
      await grant(owner, person.user_id, 'MessagingAndQueuingFullAccess');
      const application_id = await newApplication(owner.organization_id);
      const policy = { name: 'messaging', application_id };
      const rule = {
        permission_set_names: ['MessagingAndQueuingFullAccess'],
        organization_id: owner.organization_id,
      };
      expect((await iamOf(owner.secret_key).post('/policies', { ...policy, rules: [rule] })).status).toBe(
        200,
      );
      for (const token of [person.secret_key, await newKey(owner, { application_id })]) {
        expectRefused(await create(undefined, { token }), 'required');
        expect((await create(inSeconds(60), { token })).status).toBe(200);
      }
    });

    it('applies to the credentials of its organization only, for a member of two', async () => {
      const other = await newOwner();
      const unlimited = await parentIn(other);
      await limit(owner, HOUR);
      const member = await newMember(owner);
      const browser: SignedIn = await signIn(member.email, member.password);
      await join(other, member, browser);
      for (const of of [owner, other]) await grant(of, member.id, 'MessagingAndQueuingFullAccess');
      const at = `/mnq/v1beta1/regions/${region}${path}`;
      expectRefused(await browser.post(at, parent), 'required');
      const made = await browser.post(at, unlimited);
      expect([made.status, made.body.expires_at]).toEqual([200, null]);
      expect((await browser.post(`${at}/${made.body.id}/rotate`, {})).status).toBe(200);
    });

    it('returns the same credentials to a retry of a creation before it', async () => {
      const headers = { 'Idempotency-Key': crypto.randomUUID() };
      const first = await create(undefined, { headers });
      await limit(owner, HOUR);
      const again = await create(undefined, { headers });
      expect([again.status, again.body.id]).toEqual([200, first.body.id]);
    });

    it('keeps existing credentials, which can still be disabled and enabled, but not rotated', async () => {
      const [never, late, soon] = [
        await newId(),
        await newId(inSeconds(2 * HOUR)),
        await newId(inSeconds(60)),
      ];
      await limit(owner, HOUR);
      const get = async (id: string) => (await api.get(`${path}/${id}`)).body;
      const before = await get(never);
      expectRefused(await api.post(`${path}/${never}/rotate`, {}), 'required');
      expectRefused(await api.post(`${path}/${late}/rotate`, {}), 'constraint');
      expect(await get(never)).toEqual(before);
      expect((await api.post(`${path}/${soon}/rotate`, {})).status).toBe(200);
      for (const action of ['disable', 'enable'])
        expect((await api.post(`${path}/${never}/${action}`, {})).status).toBe(200);
      expect(await get(never)).toMatchObject({ status: 'enabled', expires_at: null });
    });

    it('refuses a rotation when the expiry changes between the read and the commit', async () => {
      const id = await newId(inSeconds(60));
      await limit(owner, HOUR);
      const gate = gated(databaseOf(region), /insert into rotations/);
      const bindings = { ...env, [region === 'fr-par' ? 'REGION_FR_PAR' : 'REGION_NL_AMS']: gate.database };
      const rotating = api.post(`${path}/${id}/rotate`, {}, { env: bindings });
      await gate.arrived;
      await rows(
        region,
        'update credentials set expires_at = ? where id = ?',
        Date.now() + 2 * HOUR * 1000,
        id,
      );
      gate.open();
      expect((await rotating).status).toBe(400);
      expect(await rows(region, 'select 1 from rotations where credential_id = ?', id)).toEqual([]);
    });

    it('costs no round trip and no row of the identity database', async () => {
      const costOf = async () => {
        const identity: Cost = { trips: 0, rowsRead: 0, rowsWritten: 0 };
        const regional: Cost = { trips: 0, rowsRead: 0, rowsWritten: 0 };
        const made = await create(inSeconds(60), {
          env: {
            ...env,
            IDENTITY: counted(env.IDENTITY, identity),
            [region === 'fr-par' ? 'REGION_FR_PAR' : 'REGION_NL_AMS']: counted(databaseOf(region), regional),
          },
        });
        expect(made.status).toBe(200);
        return [identity.trips, identity.rowsRead, regional.trips];
      };
      // Records the use of the key.
      await newId();
      const without = await costOf();
      await limit(owner, HOUR);
      expect(await costOf()).toEqual(without);
    });

    // NATS credentials cannot be updated.
    if (product !== 'nats')
      it('restricts a change of the expiry, and no other change', async () => {
        const [never, late] = [await newId(), await newId(inSeconds(2 * HOUR))];
        const { expires_at } = (await api.get(`${path}/${late}`)).body;
        await limit(owner, HOUR);
        const patch = (id: string, body: object) => api.patch(`${path}/${id}`, body);
        expectRefused(await patch(late, { expires_at: null, name: 'changed' }), 'required');
        expectRefused(
          await patch(never, { expires_at: inSeconds(HOUR + 90), name: 'changed' }),
          'constraint',
        );
        for (const id of [never, late]) {
          expect((await api.get(`${path}/${id}`)).body.name).not.toBe('changed');
          expect((await patch(id, { name: 'renamed', tags: ['a'] })).body.name).toBe('renamed');
        }
        // A client that sends all fields changes nothing with the same expiry.
        expect((await patch(late, { expires_at, name: 'again' })).body).toMatchObject({
          expires_at,
          name: 'again',
        });
        const within = inSeconds(60);
        expect((await patch(never, { expires_at: within })).body.expires_at).toBe(within);
        expect((await api.post(`${path}/${never}/rotate`, {})).status).toBe(200);
        const audit = await rows<{ action: string }>(
          region,
          'select action from audit_events where resource_id = ? order by id',
          never,
        );
        expect(audit.map(({ action }) => action)).toEqual(['create', 'update', 'update', 'rotate']);
      });
  },
);

describe('a limit and the default expiry of NATS credentials', () => {
  it('allow an absent expiry if the default is within the limit', async () => {
    const owner = await newOwner();
    const { project_id } = owner;
    const api = clientOf(owner, 'fr-par');
    const nats_account_id = (await api.post('/nats-accounts', { project_id })).body.id;
    const create = (user_expiry_seconds: number) => {
      const bindings = { ...env, NATS: { user_expiry_seconds } } as typeof env;
      return api.post('/nats-credentials', { nats_account_id }, { env: bindings });
    };
    await limit(owner, HOUR);
    expect((await create(HOUR)).status).toBe(200);
    expect((await create(HOUR + 90)).body.details).toMatchObject([
      { argument_name: 'expires_at', reason: 'required' },
    ]);
    await limit(owner, 48 * HOUR);
    expect((await create(0)).body.details).toMatchObject([
      { help_message: expect.stringContaining('within 172800 seconds (2 days) from now') },
    ]);
  });
});

it('a session of an Owner can set the limit from the site', async () => {
  const owner = await newOwner();
  const { browser } = await atBrowser(owner);
  const path = `/iam/v1alpha1${settingsOf(owner)}`;
  expect((await browser.patch(path, { max_credentials_duration: 60 })).status).toBe(200);
  expect((await browser.get(path)).body).toEqual({ max_credentials_duration: 60 });
  expect((await call('PATCH', path, { token: null, body: { max_credentials_duration: 1 } })).status).toBe(
    401,
  );
});
