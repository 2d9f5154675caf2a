/** Renders the rows of credentials. Loaded for lists that are not empty. */
import { fill, find } from '../ui/dom.ts';
import { onceInSight } from '../ui/load-when-visible.ts';
import type { Notice } from '../ui/panels/notice.ts';
import { attachMenu } from '../ui/panels/row-menu.lazy.ts';
import { showTime } from '../ui/time.ts';
import { type Action, allowedActions } from './allowed-actions.ts';
import type { Listed } from './credentials-panel.ts';

export { accessLevel } from './access-level.ts';

/** An expiry within this time is shown as a warning. */
const SOON_MS = 14 * 86_400_000;

/** Fills in a copy of the row in credentials-panel.astro. `access` is the access level. */
export function fillRow(row: HTMLElement, credentials: Listed, access: string): HTMLElement {
  const { id, name, access_key = '', created_at, last_used_at, tags } = credentials;
  row.dataset.id = id;
  // The template has the page of the product.
  find(row, 'a', HTMLAnchorElement).search = `${new URLSearchParams({ id, region: credentials.region })}`;
  fill(row, { name, access, access_key, reason: credentials.disabled_reason ?? '' });
  find(row, '[name="select"]', HTMLInputElement).ariaLabel = `Select ${name}`;
  const time = (which: string) => find(row, `[data-time="${which}"]`, HTMLTimeElement);
  showTime(time('created'), created_at);
  if (last_used_at) showTime(time('used'), last_used_at);
  else time('used').replaceWith('never');
  const marks = marksOf(credentials, Date.now());
  for (const mark of row.querySelectorAll<HTMLElement>('[data-mark]')) {
    const which = mark.dataset.mark ?? '';
    if (!(which in marks)) mark.remove();
    else if (marks[which]) showTime(find(mark, 'time', HTMLTimeElement), marks[which]);
  }
  const list = find(row, '[data-tags]', HTMLElement);
  list.append(...tags.map(labelOf));
  if (tags.length === 0) list.remove();
  return row;
}

/** Fills in the usage of new rows once the list is in view, if the panel has a column for it. */
export function showUsage(panel: HTMLElement, region: string): void {
  if (!panel.querySelector('[data-usage=""]')) return;
  onceInSight(find(panel, '[data-list="credentials"]', HTMLElement), () =>
    import('./list-usage.lazy.ts').then(
      (code) => code.fillUsage(panel, region),
      () => undefined,
    ),
  );
}

/** Returns the marks that apply to credentials, by name. The value is the time that the mark shows. */
function marksOf(credentials: Listed, now: number): Record<string, string> {
  const { status, expires_at, revoke_at, rotation, disabled_reason } = credentials;
  const soon = expires_at !== null && Date.parse(expires_at) - now < SOON_MS;
  return {
    ...(status === 'disabled' && { disabled: '' }),
    ...(status === 'disabled' && disabled_reason && { reason: '' }),
    ...(status === 'disabled' && revoke_at && { revoked: revoke_at }),
    ...(rotation && { rotating: '' }),
    ...(expires_at && { [status === 'expired' ? 'expired' : soon ? 'soon' : 'expires']: expires_at }),
  };
}

function labelOf(tag: string): HTMLElement {
  const label = document.createElement('span');
  label.className = 'tag';
  label.dir = 'auto';
  label.textContent = tag;
  return label;
}

/** Adds the actions that the state of the credentials allows to their row. `announce` reports that one cannot be loaded. */
export function attachActions(
  row: HTMLElement,
  credentials: Listed,
  run: (action: Action, button: HTMLElement) => unknown,
  announce: (notice: Notice) => void,
): void {
  const { name } = credentials;
  const revoke = row.querySelector<HTMLElement>('[data-action="revoke"]');
  if (revoke) {
    revoke.ariaLabel = revoke.title = `Revoke ${name}`;
    revoke.addEventListener('click', () => void run('revoke', revoke));
  }
  const reactions = allowedActions(credentials).map((action) => [
    action,
    (button: HTMLElement) => run(action, button),
  ]);
  attachMenu(row, name, Object.fromEntries(reactions), announce);
}
