/** The rows of the audit trail. Loaded for readers who can see some. */
import type { AuditEvent } from '../../api/api.ts';
import { fill, find } from '../../ui/dom.ts';
import { showTime } from '../../ui/time.ts';
import { type Principal, principalName } from '../iam/principals.ts';
import { localityLabel } from './console-audit.ts';
import { fillDetails } from './event-details.ts';

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
    fillDetails(row, event, copyFact);
    return row;
  };
