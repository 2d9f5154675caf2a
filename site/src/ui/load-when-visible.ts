/** Loads what an element needs when it comes into sight: a page pays for what its reader gets to. */
import { fill, show } from './dom.ts';
import { say, UNLOADED } from './panels/notice.ts';

/**
 * Loads the script of each of these elements, by their name, once one of them is within `margin` of the window. One that is
 * hidden is not in sight. Where it cannot be loaded, the element's parts (panel-states.astro) say so. To be called by a script
 * of the page's own, which runs before the page is complete.
 */
export function loadOnSight(scripts: Record<string, () => Promise<unknown>>, margin = '0px'): void {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        scripts[target.localName]?.().catch(() => fail(target));
      }
    },
    { rootMargin: margin },
  );
  // After the page's scripts: one of them may hide what is not to be seen.
  addEventListener('DOMContentLoaded', () => {
    for (const element of document.querySelectorAll(Object.keys(scripts).join())) observer.observe(element);
  });
}

/** Calls `react` once some of the element is in sight. */
export function onceInSight(element: Element, react: () => unknown): void {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    react();
  });
  observer.observe(element);
}

/** A script that could not be loaded is not asked for again by the same page: trying again is to load the page. */
function fail(element: Element): void {
  fill(element, { problem: UNLOADED.text });
  if (element.querySelector('[data-when~="problem"]')) show(element, 'problem');
  else say(element, UNLOADED);
  for (const button of element.querySelectorAll<HTMLElement>('[data-action="retry"]')) {
    button.onclick = () => location.reload();
  }
}
