/**
 * Code samples with placeholders, «value:quoting», which pages fill in. The quoting makes any value safe in the sample's
 * language.
 */

/** A sample in one language. */
export interface Sample {
  language: string;
  text: string;
}

/** A placeholder. `fallback` is shown until the form has a value. */
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

/** Splits the text of a sample into text and placeholders. */
export function pieces(text: string): (string | Placeholder)[] {
  return text.split(/(«\w+:\w+»)/).map((part) => {
    const [, value = '', quoting = ''] = /^«(\w+):(\w+)»$/.exec(part) ?? [];
    return value ? { value, quoting, fallback: FALLBACKS[value] ?? '' } : part;
  });
}

/**
 * Quotes a value: `plain` (identifiers, origins and code), `json` (a JSON or JavaScript string with quotation marks) or
 * `shelljson` (the same inside single quotation marks of a shell).
 */
export function quote(value: string, quoting: string): string {
  if (quoting === 'plain') return value;
  const json = JSON.stringify(value);
  return quoting === 'shelljson' ? json.replaceAll("'", `'\\''`) : json;
}
