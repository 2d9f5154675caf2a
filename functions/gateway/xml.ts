/**
 * Parses and writes the XML subset of the Query protocol: elements, text and references. Attributes are skipped. A
 * document type, CDATA or a comment makes a document invalid here.
 */

/** An element. `text` is its own text, only white space if it has child elements. */
export interface Element {
  name: string;
  text: string;
  children: Element[];
}

const TOKEN = /<(\/?)([A-Za-z_][\w.:-]*)([^<>]*?)(\/?)>|([^<]+)/y;
const REFERENCES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // Parsers convert a carriage return to a line feed.
  '\r': '&#xD;',
};

/** Returns the root element, or undefined if the document is malformed. */
export function parseXml(text: string): Element | undefined {
  const document: Element = { name: '', text: '', children: [] };
  const open = [document];
  TOKEN.lastIndex = /^\s*(?:<\?xml[^<>]*\?>)?/.exec(text)?.[0].length ?? 0;
  while (TOKEN.lastIndex < text.length) {
    const [match, closing, name, , empty, characters] = TOKEN.exec(text) ?? [];
    const current = open.at(-1);
    if (match === undefined || !current) return undefined;
    if (characters !== undefined) {
      const plain = unescapeXml(characters);
      if (plain === undefined) return undefined;
      current.text += plain;
    } else if (closing) {
      if (current.name !== name || open.length === 1) return undefined;
      open.pop();
    } else {
      const element: Element = { name: name as string, text: '', children: [] };
      current.children.push(element);
      if (!empty) open.push(element);
    }
  }
  const [root, ...more] = document.children;
  return open.length === 1 && more.length === 0 && document.text.trim() === '' ? root : undefined;
}

export function childOf(element: Element | undefined, name: string): Element | undefined {
  return element?.children.find((child) => child.name === name);
}

/** Escapes text for an element's content. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => ESCAPES[character] as string);
}

/** Returns `<name>content</name>`. `content` must already be XML. */
export function tag(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

function unescapeXml(text: string): string | undefined {
  let good = true;
  const plain = text.replace(/&(?:#(\d{1,7})|#x([\da-fA-F]{1,6})|(\w+));|&/g, (_, decimal, hex, name) => {
    const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : undefined;
    if (code !== undefined && code <= 0x10ffff) return String.fromCodePoint(code);
    const known = REFERENCES[name as string];
    good &&= known !== undefined;
    return known ?? '';
  });
  return good ? plain : undefined;
}
