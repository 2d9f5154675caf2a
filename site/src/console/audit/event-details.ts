/** The details of an event of the audit trail. The code that lists them loads when the reader opens them. */
import type { AuditEvent } from '../../api/api.ts';
import { fill, find } from '../../ui/dom.ts';
import { UNLOADED } from '../../ui/panels/notice.ts';

/** Fills the `<details>` of a row when it opens for the first time. `copyFact` returns an empty fact. */
export function fillDetails(row: HTMLElement, event: AuditEvent, copyFact: () => HTMLElement): void {
  const show = async () => {
    const code = await import('./event-facts.ts').catch(() => undefined);
    const facts = code ? code.factsOf(event) : [['Not loaded', UNLOADED.text] as const];
    const items = facts.map(([name, value]) => {
      const fact = copyFact();
      fill(fact, { name, value });
      return fact;
    });
    find(row, '[data-list="facts"]', HTMLElement).replaceChildren(...items);
  };
  find(row, 'details', HTMLDetailsElement).addEventListener('toggle', () => void show(), { once: true });
}
