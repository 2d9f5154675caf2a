/** Constants that astro.config.ts defines. */

/** The regions of this deployment, in the order of drop-downs. */
declare const REGIONS: readonly { name: string; label: string }[];

/** The pages of the API reference. For the build only. */
declare const API: readonly import('./build/api.ts').ApiSection[];

/** The least permissive permission set for each `resource/action`. */
declare const GRANTED_BY: Partial<Record<string, string>>;

/** The storage of each region: build/storage.ts. */
declare const STORAGE: readonly import('./build/storage.ts').StorageRow[];

/** The rate limits per minute: build/rate-limits.ts. */
declare const RATE_LIMITS: readonly { name: string; what: string; limit: number }[];
