/** Makes tables focusable while they are wider than their column, so that the keyboard can scroll them. */
const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const table = target as HTMLElement;
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
    else table.removeAttribute('tabindex');
  }
});
for (const table of document.querySelectorAll('.sl-markdown-content table')) observer.observe(table);
