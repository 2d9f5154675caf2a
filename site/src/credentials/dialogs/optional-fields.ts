/** Reads and fills optional-fields.astro. */
import type { AccessKeyCredentials } from '../../api/api.ts';
import type { FormDialog } from '../../ui/dialogs/form-dialog.ts';
import { find } from '../../ui/dom.ts';
import type { Values } from '../../ui/forms/form.ts';

const DAY_MS = 86_400_000;

/**
 * Shows the field for a date only while that is chosen, and offers to keep the current expiry. Call it each time before the
 * dialog opens.
 */
export function prepareExpiry(dialog: FormDialog, current: string | null = null): void {
  const select = find(dialog, '[name="expires_at"]', HTMLSelectElement);
  select.querySelector('[value="keep"]')?.remove();
  if (current) select.prepend(new Option(`Keep: ${new Date(current).toLocaleString('en', FORMAT)}`, 'keep'));
  const date = find(dialog, '[data-block="expires-on"]', HTMLElement);
  const follow = () => {
    date.hidden = select.value !== 'date';
  };
  select.onchange = follow;
  find(date, 'input', HTMLInputElement).min = localDate(new Date());
  follow();
}

const FORMAT = { dateStyle: 'medium', timeStyle: 'short' } as const;

/** Returns a date in the format of date fields, in local time. */
const localDate = (date: Date): string =>
  new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);

/** Returns the chosen expiry in RFC 3339: null for never, undefined to keep it. */
function expiryOf({ expires_at: choice = '', expires_on: date }: Values): string | null | undefined {
  if (choice === 'keep') return undefined;
  if (choice === '') return null;
  return new Date(
    choice === 'date' ? Date.parse(`${date}T23:59:59`) : Date.now() + Number(choice) * DAY_MS,
  ).toISOString();
}

/** Returns the lines of a text area without spaces around them and without empty ones. */
export const linesOf = (text = ''): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** Returns the members of a request to create credentials. Empty fields are left out. */
export function optionalMembers(values: Values) {
  const { description, tags, resources, source_ips } = values;
  const expires_at = expiryOf(values);
  return {
    ...(description && { description }),
    ...(tags && { tags: linesOf(tags) }),
    ...(expires_at && { expires_at }),
    ...(resources && { resources: linesOf(resources) }),
    ...(source_ips && { source_ips: linesOf(source_ips) }),
  };
}

/** Returns the values of the fields for credentials. */
export function optionalValues({
  description,
  tags,
  resources,
  source_ips,
  expires_at,
}: AccessKeyCredentials): Values {
  return {
    description,
    tags: tags.join('\n'),
    resources: resources?.join('\n') ?? '',
    source_ips: source_ips?.join('\n') ?? '',
    expires_at: expires_at ? 'keep' : '',
    expires_on: '',
  };
}

/** Returns the members of a request to update credentials: those that differ. Null for those that were emptied. */
export function changedMembers(values: Values, before: AccessKeyCredentials) {
  const was = optionalValues(before);
  const differs = (name: string) => linesOf(values[name]).join('\n') !== was[name];
  const list = (name: string) => {
    const lines = linesOf(values[name]);
    return lines.length > 0 ? lines : null;
  };
  const expires_at = expiryOf(values);
  return {
    ...(differs('description') && { description: values.description || null }),
    ...(differs('tags') && { tags: list('tags') }),
    ...(expires_at !== undefined && expires_at !== before.expires_at && { expires_at }),
    ...(differs('resources') && { resources: list('resources') }),
    ...(differs('source_ips') && { source_ips: list('source_ips') }),
  };
}
