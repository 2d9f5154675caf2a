/** Drop-downs of principals. */
import { type Principal, principalName } from './principals.ts';

/** Returns the options: members, then applications. Their values are `member:ID` or `application:ID`. */
export function principalOptions(principals: readonly Principal[]): HTMLElement[] {
  const group = (label: string, kind: Principal['kind']) => {
    const options = principals.filter((principal) => principal.kind === kind);
    const node = document.createElement('optgroup');
    node.label = label;
    node.append(...options.map(({ id, name }) => new Option(name, `${kind}:${id}`)));
    return options.length > 0 ? [node] : [];
  };
  return [...group('Members', 'member'), ...group('Applications', 'application')];
}

/** Fills a drop-down and selects `wanted`, or else the first. */
export function fillPrincipalOptions(
  select: HTMLSelectElement,
  principals: readonly Principal[],
  wanted?: Pick<Principal, 'kind' | 'id'>,
): void {
  select.replaceChildren(...principalOptions(principals));
  if (!wanted) return;
  const { kind, id } = wanted;
  const value = `${kind}:${id}`;
  // Add the wanted principal even if it could not be listed: otherwise, saving the form would replace it.
  if (!principals.some((principal) => principal.id === id))
    select.prepend(new Option(principalName(principals, id), value));
  select.value = value;
}
