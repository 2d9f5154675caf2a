/** How exact the times of last use are. */

/** A use within this time after a recorded one is not recorded, in milliseconds. */
export const LAST_USE_INTERVAL_MS = 5 * 60 * 1000;
