/** Parties to choose from. */
import type { Principal } from './principals.ts';

/** The options of a drop-down of parties: members, then applications. Its values are `member:ID` or `application:ID`. */
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
