/** Loads the element `<keyed-credentials>` when the reader comes within a window's height of the first one. */

const observer = new IntersectionObserver(
  (entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    import('./keyed-credentials.ts').then(
      () => observer.disconnect(),
      // Offline, it may be: the next time that one comes into sight, it is tried again.
      () => undefined,
    );
  },
  { rootMargin: '100%' },
);

for (const element of document.querySelectorAll('keyed-credentials')) observer.observe(element);
