/**
 * How a sample carries the values of a form. A sample is text with places in it, «value:quoting», that the page fills;
 * what a value needs so that it stays one value in its language is the quoting's business.
 */

/** A program text in one language. */
export interface Sample {
  language: string;
  text: string;
}

/** A place for a value. `fallback` stands there until the form has one. */
export interface Placeholder {
  value: string;
  quoting: string;
  fallback: string;
}

const FALLBACKS: Record<string, string> = {
  origin: 'https://latchkey.example.com',
  region: REGIONS[0]?.name ?? '',
  project: 'PROJECT_ID',
  account: 'NATS_ACCOUNT_ID',
  name: 'orders',
  permissions: '{"can_publish":true}',
  sdkPermissions: '{ canPublish: true }',
};

/** The text of a sample in its parts. */
export function pieces(text: string): (string | Placeholder)[] {
  return text.split(/(«\w+:\w+»)/).map((part) => {
    const [, value = '', quoting = ''] = /^«(\w+):(\w+)»$/.exec(part) ?? [];
    return value ? { value, quoting, fallback: FALLBACKS[value] ?? '' } : part;
  });
}

/**
 * A value as it stands inside a sample: `plain` (identifiers, origins, and what is code already), `json` (a JSON or JavaScript string with its
 * quotation marks), `shelljson` (the same inside a shell's single quotation marks).
 */
export function quote(value: string, quoting: string): string {
  if (quoting === 'plain') return value;
  const json = JSON.stringify(value);
  return quoting === 'shelljson' ? json.replaceAll("'", `'\\''`) : json;
}
