/** Stands in for the sign-in library in a bundle whose size is to be told without it. Nothing runs it. */

/** In place of better-auth's. */
export const betterAuth = () => ({});

/** In place of its adapter. */
export const drizzleAdapter = () => ({});
