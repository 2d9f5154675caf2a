/** The layout of the `.creds` file: a user's JWT and seed in one text that every NATS client reads. */

const SEED_LINE = '-----BEGIN USER NKEY SEED-----';

/** Whether a text is a `.creds` file, not only a JWT. */
export const hasSeed = (text: string): boolean => text.includes(SEED_LINE);

/** Returns the text of a `.creds` file from a user's JWT and seed (`SU…`). The text is secret. */
export function credsText(jwt: string, seed: string): string {
  // Clients find both values by lines that start and end with dashes, so the notice in between must not contain any.
  return `-----BEGIN NATS USER JWT-----
${jwt}
------END NATS USER JWT------

************************* IMPORTANT *************************
Anyone who has the seed below can connect as this user.
Keep this file secret, and revoke it if it leaks.

${SEED_LINE}
${seed}
------END USER NKEY SEED------

*************************************************************
`;
}
