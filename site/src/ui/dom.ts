/**
 * How scripts change pages: they set `textContent` only, which prevents injection of markup. `data-text` names the text of
 * a node, and `data-when` the states that show it.
 */

/** Returns the first match. Throws if there is none or if it has another type, because the markup is ours. */
export function find<E extends Element>(root: ParentNode, selector: string, type: abstract new () => E): E {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The markup has no ${type.name} at ${selector}`);
  return found;
}

/** Fills in the descendants with `data-text`. */
export function fill(root: ParentNode, texts: Record<string, string>): void {
  for (const node of root.querySelectorAll<HTMLElement>('[data-text]')) {
    const text = texts[node.dataset.text ?? ''];
    if (text === undefined) continue;
    node.textContent = text;
    // A name in another script must not change the direction of the sentence around it.
    node.dir = 'auto';
  }
}

/** Shows the descendants whose `data-when` lists `state`, and hides the others. */
export function show(root: ParentNode, state: string): void {
  for (const node of root.querySelectorAll<HTMLElement>('[data-when]')) {
    node.hidden = !node.dataset.when?.split(' ').includes(state);
  }
}

/** Returns a copy of the element in a `<template>`. */
export function copyOf(template: HTMLTemplateElement): HTMLElement {
  return document.importNode(template.content, true).firstElementChild as HTMLElement;
}

/** Marks a button as busy until `work` settles. Resolves to its result. */
export async function busyWhile<T>(button: HTMLElement, work: Promise<T>): Promise<T> {
  button.ariaBusy = 'true';
  return work.finally(() => {
    button.ariaBusy = 'false';
  });
}

/** Marks a button as busy while a module loads for it. Resolves to undefined if the module cannot be loaded. */
export function loadFor<T>(button: HTMLElement, loading: Promise<T>): Promise<T | undefined> {
  return busyWhile(
    button,
    loading.catch(() => undefined),
  );
}
