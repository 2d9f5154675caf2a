/** Names that the build defines. */

/** The regions that this deployment serves, in the order that drop-downs show. */
declare const REGIONS: readonly { name: string; label: string }[];

/** The pages of the API reference. Defined by astro.config.ts, for use while building. */
declare const API: readonly import('./build/api.ts').ApiSection[];

/** `resource/action` → the name of the permission set that grants it and least else. */
declare const GRANTED_BY: Partial<Record<string, string>>;

/** What each region has for streams: build/storage.ts. */
declare const STORAGE: readonly import('./build/storage.ts').StorageRow[];

/** How often something may happen in a minute: build/rate-limits.ts. */
declare const RATE_LIMITS: readonly { name: string; what: string; limit: number }[];
