/** The form of a NATS role in the console: what presets fill in, and what is sent. */
import { describe, expect, it } from 'vitest';
import { PRESETS, permissionsOf } from '../../functions/nats/presets.ts';
import { createRoleBody } from '../../functions/nats/role-schemas.ts';
import {
  changesOf,
  definitionIn,
  grants,
  permissionsFrom,
  permissionValues,
  roleValues,
} from '../../site/src/console/nats-roles/role-values.ts';

const ACCOUNT = `A${'A'.repeat(55)}`;
const FIELDS = { subjects: 'orders.>\n  events.* \n', stream: 'S', consumer: 'C', bucket: 'B' };

const accepted = (fields: object) =>
  createRoleBody.safeParse({ nats_account_id: ACCOUNT, name: 'orders', ...fields });

describe.each(PRESETS)('the preset $id', (preset) => {
  it.each(['shared', 'private'] as const)(
    'fills in the permissions that the tests run on servers, with the %s inbox',
    (inbox) => {
      const filled = permissionsFrom(preset, { ...FIELDS, inbox });
      const values = { subjects: ['orders.>', 'events.*'], stream: 'S', consumer: 'C', bucket: 'B' };
      const tested = permissionsOf(preset, values, inbox);
      expect(filled).toEqual({ ...tested, responses: tested.responses ?? null });
      const sent = definitionIn({ name: 'orders', ...permissionValues(filled) });
      expect(sent).toMatchObject(filled);
      expect(accepted(sent).error).toBeUndefined();
    },
  );

  it('is rejected by the API until each of its fields has a value', () => {
    for (const parameter of preset.parameters) {
      const { error } = accepted(permissionsFrom(preset, { ...FIELDS, [parameter]: '' }));
      expect(error?.issues.map(({ path }) => path.slice(0, 2).join('.')).join()).toMatch(
        /(publish|subscribe)\.allow/,
      );
    }
  });
});

const ROLE = {
  name: 'orders',
  publish: { allow: ['orders.>'], deny: ['orders.internal'] },
  subscribe: { allow: [], deny: [] },
  responses: { max: 2, ttl_seconds: 7 },
  source_ips: ['192.0.2.0/24'],
  connection_types: ['websocket' as const],
  max_subscriptions: 10,
  max_payload: null,
};

describe('the fields of a role', () => {
  it('give the same role back, and send nothing if nothing was changed', () => {
    expect(definitionIn(roleValues(ROLE))).toEqual(ROLE);
    expect(changesOf(ROLE, definitionIn(roleValues(ROLE)))).toEqual({});
  });

  it('send only what was changed, and null for what was emptied', () => {
    const values = { ...roleValues(ROLE), 'publish.deny': '', 'responses.max': '', source_ips: '' };
    expect(changesOf(ROLE, definitionIn(values))).toEqual({
      publish: { allow: ['orders.>'], deny: [] },
      responses: null,
      source_ips: null,
    });
  });

  it('allow nothing if a list is empty, and everything only as >', () => {
    expect(definitionIn({ name: 'x', 'subscribe.allow': '>' })).toMatchObject({
      publish: { allow: [], deny: [] },
      subscribe: { allow: ['>'], deny: [] },
    });
  });
});

it('the list names the first subjects of a role, and counts the others', () => {
  const lists = (...allow: string[]) => ({ allow, deny: [] });
  const named = (
    publish: { allow: string[]; deny: string[] },
    responses = null as typeof ROLE.responses | null,
  ) => grants({ publish, subscribe: lists(), responses }).publish;
  expect(named(lists())).toBe('Nothing');
  expect(named(lists('>'))).toBe('Everything');
  expect(named(lists('a', 'b', 'c', 'd'))).toBe('a, b and 2 more');
  expect(named({ allow: ['>'], deny: ['a'] })).toBe('Everything, except a');
  expect(named(lists(), { max: 1, ttl_seconds: 5 })).toBe('Replies');
  expect(named(lists('a'), { max: 1, ttl_seconds: 5 })).toBe('a, and replies');
});
