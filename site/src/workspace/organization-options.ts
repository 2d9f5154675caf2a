/** Fills organization-field.astro. Loaded for members of several organizations. */
import type { Organization } from '../api/api.ts';
import { choose } from './selection.ts';

/** Shows the drop-down under `root`, and stores the choice. */
export function fillOrganizationOptions(
  root: HTMLElement,
  all: readonly Organization[],
  chosen: string,
): void {
  const select = root.querySelector('select');
  if (!select) return;
  select.replaceChildren(...all.map(({ id, name }) => new Option(name || id, id)));
  select.value = chosen;
  select.addEventListener('change', () => choose({ organization: select.value }));
  root.hidden = false;
}
