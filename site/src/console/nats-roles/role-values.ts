/** Translates between roles of the API and the fields of nats-roles.astro. */
import {
  type INBOXES,
  PRESETS,
  type Preset,
  type PresetParameter,
  permissionsOf,
} from '../../../../functions/nats/presets.ts';
import type { NatsRole } from '../../api/on-demand.ts';
import { linesOf } from '../../credentials/dialogs/optional-fields.ts';
import type { Values } from '../../ui/forms/form.ts';

type Permissions = Pick<NatsRole, 'publish' | 'subscribe' | 'responses'>;
type Definition = Pick<
  NatsRole,
  'name' | keyof Permissions | 'source_ips' | 'connection_types' | 'max_subscriptions' | 'max_payload'
>;

/** The fields for a preset: which one, and where clients receive replies. */
export type PresetValues = Partial<Record<PresetParameter, string>> & { inbox?: string };

/** Returns the preset with this id, or undefined for subjects of the reader's choice. */
export const presetOf = (id: string): Preset | undefined => PRESETS.find((preset) => preset.id === id);

/**
 * Returns the permissions that a preset gives with the values of its fields. An empty field stays a placeholder such as
 * `{STREAM}`, which the API rejects.
 */
export function permissionsFrom(preset: Preset, values: PresetValues): Permissions {
  const subjects = linesOf(values.subjects);
  const { publish, subscribe, responses } = permissionsOf(
    preset,
    {
      subjects: subjects.length > 0 ? subjects : ['{SUBJECTS}'],
      stream: values.stream || '{STREAM}',
      consumer: values.consumer || '{CONSUMER}',
      bucket: values.bucket || '{BUCKET}',
    },
    (values.inbox ?? 'shared') as keyof typeof INBOXES,
  );
  const list = ({ allow, deny }: typeof publish) => ({ allow: [...allow], deny: [...deny] });
  return { publish: list(publish), subscribe: list(subscribe), responses: responses ?? null };
}

/** Returns the values of the fields for permissions. */
export const permissionValues = ({ publish, subscribe, responses }: Permissions): Values => ({
  'publish.allow': publish.allow.join('\n'),
  'publish.deny': publish.deny.join('\n'),
  'subscribe.allow': subscribe.allow.join('\n'),
  'subscribe.deny': subscribe.deny.join('\n'),
  'responses.max': `${responses?.max ?? ''}`,
  'responses.ttl_seconds': `${responses?.ttl_seconds ?? ''}`,
});

/** Returns the values of all fields for a role. */
export const roleValues = (role: Definition): Values => ({
  name: role.name,
  ...permissionValues(role),
  source_ips: role.source_ips?.join('\n') ?? '',
  connection_types: role.connection_types?.join('\n') ?? '',
  max_subscriptions: `${role.max_subscriptions ?? ''}`,
  max_payload: `${role.max_payload ?? ''}`,
});

/** Returns the role that the fields describe. */
export function definitionIn(values: Values): Definition {
  const list = (name: string) => {
    const lines = linesOf(values[name]);
    return lines.length > 0 ? lines : null;
  };
  const subjects = (side: string) => ({
    allow: linesOf(values[`${side}.allow`]),
    deny: linesOf(values[`${side}.deny`]),
  });
  const number = (name: string) => (values[name] ? Number(values[name]) : null);
  const max = number('responses.max');
  return {
    name: values.name ?? '',
    publish: subjects('publish'),
    subscribe: subjects('subscribe'),
    responses: max === null ? null : { max, ttl_seconds: number('responses.ttl_seconds') ?? 5 },
    source_ips: list('source_ips'),
    // The API checks them.
    connection_types: list('connection_types') as Definition['connection_types'],
    max_subscriptions: number('max_subscriptions'),
    max_payload: number('max_payload'),
  };
}

/** Returns the members that differ from the role. Only those are sent: others may have changed in the meantime. */
export function changesOf(role: Definition, wanted: Definition): Partial<Definition> {
  const differs = (member: keyof Definition) =>
    JSON.stringify(wanted[member]) !== JSON.stringify(role[member]);
  const members = Object.keys(wanted) as (keyof Definition)[];
  return Object.fromEntries(members.filter(differs).map((member) => [member, wanted[member]]));
}

/** The number of subjects to name. More are only counted. */
const NAMED = 2;

/** Returns in words what a role allows, for a list. */
export function grants({
  publish,
  subscribe,
  responses,
}: Permissions): Record<'publish' | 'subscribe', string> {
  const replies = publish.allow.length > 0 ? `${subjectsIn(publish)}, and replies` : 'Replies';
  return { publish: responses ? replies : subjectsIn(publish), subscribe: subjectsIn(subscribe) };
}

function subjectsIn({ allow, deny }: NatsRole['publish']): string {
  if (allow.length === 0) return 'Nothing';
  const allowed = allow.includes('>') ? 'Everything' : named(allow);
  return deny.length > 0 ? `${allowed}, except ${named(deny)}` : allowed;
}

function named(subjects: readonly string[]): string {
  const rest = subjects.length > NAMED ? ` and ${subjects.length - NAMED} more` : '';
  return `${subjects.slice(0, NAMED).join(', ')}${rest}`;
}
