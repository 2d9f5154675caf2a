/** Lets the keyboard scroll the tables of a page: each can be focused for as long as it is wider than its column. */
const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const table = target as HTMLElement;
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
    else table.removeAttribute('tabindex');
  }
});
for (const table of document.querySelectorAll('.sl-markdown-content table')) observer.observe(table);
