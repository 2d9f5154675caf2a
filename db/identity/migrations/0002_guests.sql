CREATE TABLE `page_feedback` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`page` text NOT NULL,
	`helpful` integer NOT NULL,
	`remark` text NOT NULL
);
--> statement-breakpoint
ALTER TABLE `organizations` ADD `expires_at` integer;--> statement-breakpoint
CREATE INDEX `organizations_by_expiry` ON `organizations` (`expires_at`) WHERE expires_at is not null;