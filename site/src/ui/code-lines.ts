/** Lines of code that wrap: what goes on in the next line is indented further than the line (controls.css). */

/** The lines of a text, without the line break at its end. */
export const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n');

/** How many spaces a line begins with. */
export const indentOf = (line: string): number => line.search(/\S|$/);

/** The lines of a text as nodes of a `<pre>`. */
export const codeLines = (text: string): (string | Node)[] =>
  linesOf(text).flatMap((line, at) => {
    const node = document.createElement('span');
    node.className = 'code-line';
    node.style.setProperty('--indent', `${indentOf(line)}ch`);
    node.textContent = line;
    return at > 0 ? ['\n', node] : [node];
  });
