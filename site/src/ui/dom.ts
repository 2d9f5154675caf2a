/**
 * The few ways in which scripts touch the pages' markup. Data enters by `textContent` alone; what is shown is decided
 * by attributes that the markup carries: `data-text` names what a node shows, `data-when` when it shows.
 */

/** The first descendant that matches, as the class given. Throws when the markup has none: a mistake of ours. */
export function find<E extends Element>(root: ParentNode, selector: string, type: abstract new () => E): E {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The markup has no ${type.name} at ${selector}`);
  return found;
}

/** Writes texts into the descendants that name them by `data-text`. */
export function fill(root: ParentNode, texts: Record<string, string>): void {
  for (const node of root.querySelectorAll<HTMLElement>('[data-text]')) {
    const text = texts[node.dataset.text ?? ''];
    if (text === undefined) continue;
    node.textContent = text;
    // A name keeps its direction to itself, and the sentence around it keeps its own.
    node.dir = 'auto';
  }
}

/** Shows the descendants whose `data-when` lists `state`, and hides those whose list does not. */
export function show(root: ParentNode, state: string): void {
  for (const node of root.querySelectorAll<HTMLElement>('[data-when]')) {
    node.hidden = !node.dataset.when?.split(' ').includes(state);
  }
}

/** A fresh copy of the one element in a `<template>`. */
export function copyOf(template: HTMLTemplateElement): HTMLElement {
  return document.importNode(template.content, true).firstElementChild as HTMLElement;
}

/** Writes an instant into a `<time>`: relative for reading, exact in the title. `iso` is RFC 3339. */
export function showTime(node: HTMLTimeElement, iso: string): void {
  const at = new Date(iso);
  node.dateTime = iso;
  node.title = at.toLocaleString('en', { dateStyle: 'long', timeStyle: 'long' });
  node.textContent = relative(at.getTime() - Date.now());
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600_000],
  ['month', 2_629_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

function relative(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, length]) => Math.abs(milliseconds) >= length) ?? ['second', 0];
  if (size === 0) return 'just now';
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  return format.format(Math.round(milliseconds / size), unit);
}

/** The result of `work`, until which the button is busy: at once, also while a script is being loaded. */
export async function busyWhile<T>(button: HTMLElement, work: Promise<T>): Promise<T> {
  button.ariaBusy = 'true';
  return work.finally(() => {
    button.ariaBusy = 'false';
  });
}
