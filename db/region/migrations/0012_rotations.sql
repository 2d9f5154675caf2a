CREATE TABLE `rotations` (
	`credential_id` text PRIMARY KEY NOT NULL,
	`previous_key` text NOT NULL,
	`sealed_secret` text,
	`sealing_key_id` text,
	`checksum` text NOT NULL,
	`issued_at` integer NOT NULL,
	`started_at` integer NOT NULL,
	`overlap_seconds` integer NOT NULL,
	`first_used_at` integer,
	`previous_last_used_at` integer,
	`ends_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `rotations_by_key` ON `rotations` (`previous_key`);--> statement-breakpoint
CREATE INDEX `rotations_by_checksum` ON `rotations` (`checksum`);--> statement-breakpoint
CREATE INDEX `rotations_by_end` ON `rotations` (`ends_at`) WHERE ends_at is not null;--> statement-breakpoint
CREATE INDEX `rotations_by_sealing_key` ON `rotations` (`sealing_key_id`) WHERE sealing_key_id is not null;--> statement-breakpoint
ALTER TABLE `credentials` ADD `key_issued_at` integer;