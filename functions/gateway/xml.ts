/**
 * The little of XML that answers of the Query protocol are written in: elements, text, references. No more is read:
 * a document type, CDATA, or a comment makes a text unreadable here. Attributes are skipped.
 */

/** An element. `text` is its own text; where it has elements inside, that is white space. */
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
  // A reader would turn it into a line feed.
  '\r': '&#xD;',
};

/** The root element of a document, or undefined when it is not well-formed. */
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

/** The first child of this name. */
export function childOf(element: Element | undefined, name: string): Element | undefined {
  return element?.children.find((child) => child.name === name);
}

/** Text for between two tags. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => ESCAPES[character] as string);
}

/** `<name>content</name>`; `content` is XML already. */
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
