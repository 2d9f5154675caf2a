/** Code whose lines wrap with an indent (controls.css). */

/** Returns the lines of a text, without the line break at its end. */
export const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n');

/** Returns the number of spaces at the start of a line. */
export const indentOf = (line: string): number => line.search(/\S|$/);

/** Returns the lines of a text as nodes for a `<pre>`. */
export const codeLines = (text: string): (string | Node)[] =>
  linesOf(text).flatMap((line, at) => {
    const node = document.createElement('span');
    node.className = 'code-line';
    node.style.setProperty('--indent', `${indentOf(line)}ch`);
    node.textContent = line;
    return at > 0 ? ['\n', node] : [node];
  });
