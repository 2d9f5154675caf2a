/** Takes the answer to "Was this page helpful?" (page-feedback.astro); the script for it is loaded then. */
for (const root of document.querySelectorAll<HTMLElement>('page-feedback')) {
  for (const button of root.querySelectorAll<HTMLElement>('[data-answer]')) {
    button.onclick = () =>
      import('./page-feedback.ts').then(
        ({ answer }) => answer(root, button.dataset.answer === 'yes'),
        () => undefined,
      );
  }
}
