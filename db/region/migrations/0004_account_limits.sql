ALTER TABLE `nats_accounts` ADD `guest` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `nats_accounts_by_promise` ON `nats_accounts` (`guest`) WHERE purged_at is null;