/**
 * The `.creds` file that every NATS client reads: a user's JWT and seed in one text. Owns its layout only.
 */

/**
 * The text of a `.creds` file, from a user's JWT and the seed `SU…` of that same user. It is a secret.
 */
export function credsText(jwt: string, seed: string): string {
  // Clients find the two values by lines that start and end with dashes: the notice between may have none.
  return `-----BEGIN NATS USER JWT-----
${jwt}
------END NATS USER JWT------

************************* IMPORTANT *************************
Whoever has the seed below can connect as this user.
Keep this file secret, and revoke it if it leaks.

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------

*************************************************************
`;
}
