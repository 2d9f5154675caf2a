ALTER TABLE `credentials` ADD `description` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `credentials` ADD `tags` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `credentials` ADD `created_by_type` text;--> statement-breakpoint
ALTER TABLE `credentials` ADD `created_by_id` text;--> statement-breakpoint
ALTER TABLE `credentials` ADD `created_by_name` text;--> statement-breakpoint
ALTER TABLE `credentials` ADD `disabled_at` integer;--> statement-breakpoint
ALTER TABLE `credentials` ADD `disabled_reason` text;--> statement-breakpoint
ALTER TABLE `credentials` ADD `revoke_at` integer;--> statement-breakpoint
CREATE INDEX `credentials_by_expiry` ON `credentials` (`expires_at`) WHERE expires_at is not null;--> statement-breakpoint
CREATE INDEX `credentials_by_revocation` ON `credentials` (`revoke_at`) WHERE revoke_at is not null;