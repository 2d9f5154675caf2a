/** Converts a page's HTML to Markdown: title, text, tables, code and tabs. Leaves out forms and buttons. */
import type { Element, ElementContent, Root, RootContent } from 'hast';
import rehypeParse from 'rehype-parse';
import rehypeRemark from 'rehype-remark';
import remarkGfm from 'remark-gfm';
import remarkStringify from 'remark-stringify';
import { unified } from 'unified';

export interface Page {
  /** `/concepts/` */
  path: string;
  title: string;
  description: string;
  /** The unique links in the navigation beside the page. */
  links: string[];
  /** The whole page, including its title. */
  markdown: string;
}

const parser = unified().use(rehypeParse);
const writer = unified().use(rehypeRemark).use(remarkGfm).use(remarkStringify, { bullet: '-', rule: '-' });

/** Converts the HTML of the page at `path`. Throws if it has no title or no text. */
export function readPage(path: string, html: string): Page {
  const root = parser.parse(html);
  const heading = find(root, ({ properties }) => properties.id === '_top');
  const prose = find(root, (element) => hasClass(element, 'sl-markdown-content'));
  const meta = find(root, ({ properties }) => properties.name === 'description');
  if (!heading || !prose) throw new Error(`${path} has no title or no prose`);
  const title = textOf(heading).trim();
  const description = String(meta?.properties.content ?? '');
  const content: Root = { type: 'root', children: prose.children.flatMap((child) => readable(child)) };
  const body = writer.stringify(writer.runSync(content) as never);
  const navigation = find(root, ({ properties }) => properties.id === 'starlight__sidebar');
  const links = navigation
    ? [...new Set(all(navigation, ({ tagName }) => tagName === 'a').map(addressOf))]
    : [];
  return { path, title, description, links, markdown: `# ${title}\n\n${description}\n\n${body}` };
}

type Node = Root | RootContent | ElementContent;

function hasClass({ properties: { className } }: Element, name: string): boolean {
  return Array.isArray(className) && className.includes(name);
}

function find(node: Node, is: (element: Element) => boolean): Element | undefined {
  if (node.type === 'element' && is(node)) return node;
  for (const child of 'children' in node ? node.children : []) {
    const found = find(child, is);
    if (found) return found;
  }
  return undefined;
}

function textOf(node: Node): string {
  if (node.type === 'text') return node.value;
  return 'children' in node ? node.children.map(textOf).join('') : '';
}

const LEFT_OUT = /^(button|dialog|form|input|label|link|noscript|script|select|style|svg|template)$/;

const LEFT_OUT_CLASSES = ['sl-anchor-link', 'panel'];

/** Returns the readable parts of a node. */
function readable(node: ElementContent): ElementContent[] {
  if (node.type !== 'element') return [node];
  const { tagName, properties } = node;
  if (hasClass(node, 'expressive-code')) return [codeOf(node)];
  if (hasClass(node, 'picture')) return [descriptionOf(node)];
  if (tagName === 'starlight-tabs' || tagName === 'code-samples') return tabsOf(node);
  if (LEFT_OUT.test(tagName) || LEFT_OUT_CLASSES.some((name) => hasClass(node, name))) return [];
  const { hidden, ariaHidden, role } = properties;
  // Asides hide their title from screen readers, which read the label instead. Markdown has no label.
  const isTitle = hasClass(node, 'starlight-aside__title');
  if (hidden !== undefined || (ariaHidden === 'true' && !isTitle) || role === 'status') return [];
  return [{ ...node, children: node.children.flatMap(readable) }];
}

/** Returns the title and description of a picture. */
function descriptionOf({ properties }: Element): Element {
  const value = `Picture: ${String(properties.dataDescription ?? '')}`;
  return { type: 'element', tagName: 'p', properties: {}, children: [{ type: 'text', value }] };
}

/** The copy button has the code in an attribute, with DEL for line breaks. */
function codeOf(block: Element): Element {
  const button = find(block, ({ tagName }) => tagName === 'button');
  const pre = find(block, ({ tagName }) => tagName === 'pre');
  const text = String(button?.properties.dataCode ?? '').replaceAll('\u007f', '\n');
  return preOf(text, String(pre?.properties.dataLanguage ?? ''));
}

function preOf(value: string, language: string): Element {
  const code: Element = {
    type: 'element',
    tagName: 'code',
    properties: { className: [`language-${language}`] },
    children: [{ type: 'text', value }],
  };
  return { type: 'element', tagName: 'pre', properties: {}, children: [code] };
}

/** Returns tabs one after another, each below its label. */
function tabsOf(tabs: Element): ElementContent[] {
  const labels = all(tabs, isRole('tab')).map((tab) => textOf(tab).trim());
  return all(tabs, isRole('tabpanel')).flatMap((panel, index): ElementContent[] => {
    const label: Element = {
      type: 'element',
      tagName: 'p',
      properties: {},
      children: [
        {
          type: 'element',
          tagName: 'strong',
          properties: {},
          children: [{ type: 'text', value: labels[index] ?? '' }],
        },
      ],
    };
    const content =
      panel.tagName === 'pre' ? [preOf(textOf(panel), 'txt')] : panel.children.flatMap(readable);
    return [label, ...content];
  });
}

const isRole = (role: string) => (element: Element) => element.properties.role === role;
const addressOf = ({ properties }: Element) => String(properties.href ?? '');

function all(node: Node, is: (element: Element) => boolean): Element[] {
  const inside = 'children' in node ? node.children.flatMap((child) => all(child, is)) : [];
  return node.type === 'element' && is(node) ? [node, ...inside] : inside;
}
