/** Loads what an element needs when it comes into sight: a page pays for what its reader gets to. */

/**
 * Loads the script of each of these elements, by their name, once one of them is within `margin` of the window. One that is
 * hidden is not in sight. To be called by a script of the page's own, which runs before the page is complete.
 */
export function loadOnSight(scripts: Record<string, () => Promise<unknown>>, margin = '0px'): void {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        scripts[target.localName]?.().then(
          () => observer.unobserve(target),
          // Offline, it may be: the next time that it comes into sight, it is tried again.
          () => undefined,
        );
      }
    },
    { rootMargin: margin },
  );
  // After the page's scripts: one of them may hide what is not to be seen.
  addEventListener('DOMContentLoaded', () => {
    for (const element of document.querySelectorAll(Object.keys(scripts).join())) observer.observe(element);
  });
}
