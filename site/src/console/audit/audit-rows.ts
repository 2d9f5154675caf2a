/** The rows of the audit trail. Loaded for readers who can see some. */
import type { AuditEvent } from '../../api/api.ts';
import { accessLevel } from '../../credentials/access-level.ts';
import { fill, find } from '../../ui/dom.ts';
import { showTime } from '../../ui/time.ts';
import { type Principal, principalName } from '../iam/principals.ts';
import { localityLabel } from './console-audit.ts';

export { principalOptions } from '../iam/principal-options.ts';
export { listPrincipals } from '../iam/principals.ts';

/** Returns the label of an action or a type of resource, from the drop-downs of the filters. */
function word(value: string): string {
  const option = document.querySelector<HTMLOptionElement>(
    `console-audit option[value="${CSS.escape(value)}"]`,
  );
  return option?.dataset.word ?? value.replaceAll('_', ' ');
}

/** Returns a function that fills a row with a change. `principals` have the names. */
export const rowsOf =
  (principals: readonly Principal[]) =>
  (row: HTMLElement, copyFact: () => HTMLElement, event: AuditEvent): HTMLElement => {
    const { principal, resource, before, after } = event;
    const resourceName = `${after?.name ?? before?.name ?? after?.email ?? before?.email ?? ''}`;
    const what = `${word(event.action)} ${word(resource.type)}`;
    fill(row, {
      happened: what,
      resourceName,
      of: ` of: ${what} ${resourceName}`,
      who: principal.type === 'system' ? 'Latchkey' : principalName(principals, principal.id),
      where: localityLabel(event.locality),
    });
    showTime(find(row, 'time', HTMLTimeElement), event.recorded_at);
    const facts = factsOf(event).map(([name, value]) => {
      const fact = copyFact();
      fill(fact, { name, value });
      return fact;
    });
    find(row, '[data-list="facts"]', HTMLElement).append(...facts);
    return row;
  };

function factsOf(event: AuditEvent): [name: string, value: string][] {
  const { resource, principal, before, after } = event;
  const facts: [string, string | null][] = [
    ['ID', resource.id],
    ...changesOf(before, after),
    ['By', principal.id],
    ['API key', principal.access_key],
    ['Address', event.source_ip],
    ['Project', event.project_id],
    ['Request', event.request_id],
    ['At', event.recorded_at],
  ];
  return facts.flatMap(([name, value]): [string, string][] => (value ? [[name, value]] : []));
}

type State = Record<string, unknown> | null;

/** Returns the members that a change modified: "false → true". For new and deleted resources, all members. */
function changesOf(before: State, after: State): [name: string, value: string][] {
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
