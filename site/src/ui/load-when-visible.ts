/** Loads the scripts of elements when they come into view. */
import { fill, show } from './dom.ts';
import { say, UNLOADED } from './panels/notice.ts';

/**
 * Loads the script for each of these tags once such an element is within `margin` of the window. Hidden elements do not
 * count. If a script fails to load, the element's panels show it. Call this while the page is loading.
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
  // After the page's scripts, which may hide elements.
  addEventListener('DOMContentLoaded', () => {
    for (const element of document.querySelectorAll(Object.keys(scripts).join())) observer.observe(element);
  });
}

/** Calls `react` once the element is in view. */
export function onceInSight(element: Element, react: () => unknown): void {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    react();
  });
  observer.observe(element);
}

/** Browsers do not request a failed module again, so retrying reloads the page. */
function fail(element: Element): void {
  fill(element, { problem: UNLOADED.text });
  if (element.querySelector('[data-when~="problem"]')) show(element, 'problem');
  else say(element, UNLOADED);
  for (const button of element.querySelectorAll<HTMLElement>('[data-action="retry"]')) {
    button.onclick = () => location.reload();
  }
}
