/**
 * Finds, in what somebody pastes, the one part that may leave the browser: the public name of a key. The rest, a secret
 * perhaps, is not looked at further.
 */

const JWT = /eyJ[\w-]*\.([\w-]+)\.[\w-]+/;
const PUBLIC = /\b(LKEY[0-9A-Za-z]{16}|SCW[A-Z0-9]{17}|[AU][A-Z2-7]{55})\b/;

/** The public key in a text: of the JWT in a `.creds` file whom it is for, or the first access key or key that stands there. */
export function publicKeyIn(text: string): string | undefined {
  const [, payload] = JWT.exec(text) ?? [];
  return PUBLIC.exec(payload ? subjectOf(payload) : text)?.[0];
}

function subjectOf(payload: string): string {
  try {
    const json = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    return String((JSON.parse(json) as { sub?: unknown }).sub);
  } catch {
    return '';
  }
}
