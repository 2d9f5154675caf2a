/** The facts about an event of the audit trail. Loaded when the reader opens its details. */
import type { AuditEvent } from '../../api/api.ts';
import { accessLevel } from '../../credentials/access-level.ts';

type State = Record<string, unknown> | null;

type Fact = [name: string, value: string];

/** Returns the facts about an event: the resource, what changed, who changed it, from where, and when. */
export function factsOf(event: AuditEvent): Fact[] {
  const { resource, principal } = event;
  const facts: [name: string, value: string | null][] = [
    ['ID', resource.id],
    ...changesOf(event),
    ['By', principal.id],
    ['API key', principal.access_key],
    ['Address', event.source_ip],
    ['Project', event.project_id],
    ['Request', event.request_id],
    ['At', event.recorded_at],
  ];
  return facts.flatMap(([name, value]): Fact[] => (value ? [[name, value]] : []));
}

/** Returns the members that an event's change modified: "false → true". For new and deleted resources, all members. */
function changesOf({ before, after }: AuditEvent): [name: string, value: string][] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].flatMap((name): [string, string][] => {
    const shown = (state: State) => {
      const value = state?.[name];
      return name === 'permissions' && value ? accessLevel(value as Record<string, boolean>) : text(value);
    };
    const [was, is] = [shown(before), shown(after)];
    if (was === is) return [];
    const label = name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
    return [[label, before && after ? `${was || 'none'} → ${is || 'none'}` : was || is]];
  });
}

function text(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(text).join(', ');
  if (typeof value !== 'object') return String(value);
  const members = Object.entries(value).map(([name, part]) => `${name.replaceAll('_', ' ')}: ${text(part)}`);
  return members.join(', ');
}
