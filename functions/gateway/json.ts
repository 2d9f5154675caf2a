/**
 * Parses request bodies of the JSON protocol more strictly than JSON.parse (duplicate names are errors), and replaces
 * strings in JSON text without changing anything else.
 */
import { GatewayError } from './errors.ts';
import { isRecord } from './shapes.ts';

/**
 * Parses a body that is empty or a JSON object. Throws for anything else, and for a name that occurs twice in one
 * object: parsers differ in which value they take.
 */
export function parseUniqueJson(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = text === '' ? {} : JSON.parse(text);
  } catch {
    throw new GatewayError('malformed', 'The body is not valid JSON.');
  }
  if (!isRecord(value)) throw new GatewayError('malformed', 'The body is not a JSON object.');
  const twice = findRepeatedName(text);
  if (twice !== undefined)
    throw new GatewayError('malformed', `The name ${twice} occurs twice in one object.`);
  return value;
}

/**
 * Maximum depth of nested objects, to bound memory. The deepest valid request, message attributes in a batch, has four
 * levels.
 */
const MAX_DEPTH = 10;

const COLON = /\s*:/y;

/**
 * Returns a name that occurs twice in one object of well-formed JSON, or undefined. Names are compared after
 * unescaping.
 */
function findRepeatedName(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{') {
      if (open.length === MAX_DEPTH) throw new GatewayError('malformed', 'The body is nested too deeply.');
      open.push(new Set());
    } else if (character === '}') open.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      COLON.lastIndex = end;
      if (COLON.test(text)) {
        const name = JSON.parse(text.slice(at, end)) as string;
        if (open.at(-1)?.has(name)) return name;
        open.at(-1)?.add(name);
      }
      at = end - 1;
    }
  }
  return undefined;
}

const STRING_VALUE = /\s*:\s*"/y;

/**
 * Replaces top-level string members of `text`, which must be a well-formed JSON object. `replacements` maps a member's
 * name to a function of its old value. Nested objects and all other characters are preserved.
 */
export function replaceStrings(
  text: string,
  replacements: Readonly<Record<string, (value: string) => string>>,
): string {
  let result = '';
  let copied = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === '"') {
      let end = endOfString(text, at);
      STRING_VALUE.lastIndex = end;
      if (depth === 1 && STRING_VALUE.test(text)) {
        const name = JSON.parse(text.slice(at, end)) as string;
        const start = STRING_VALUE.lastIndex - 1;
        end = endOfString(text, start);
        const replace = Object.hasOwn(replacements, name) ? replacements[name] : undefined;
        if (replace) {
          const value = JSON.parse(text.slice(start, end)) as string;
          result += text.slice(copied, start) + JSON.stringify(replace(value));
          copied = end;
        }
      }
      at = end - 1;
    }
  }
  return result + text.slice(copied);
}

/** Returns the index after the closing quote of the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); ; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
}
