/** Names that the build defines. */

/** The regions that this deployment serves, in the order that drop-downs show. */
declare const REGIONS: readonly { name: string; label: string }[];
