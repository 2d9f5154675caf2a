CREATE TABLE `audit_events` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`organization_id` text NOT NULL,
	`project_id` text,
	`actor_type` text NOT NULL,
	`actor_id` text NOT NULL,
	`actor_key` text,
	`address` text,
	`request_id` text NOT NULL,
	`action` text NOT NULL,
	`resource` text NOT NULL,
	`resource_id` text NOT NULL,
	`before` text,
	`after` text
);
--> statement-breakpoint
CREATE TABLE `counts` (
	`scope` text NOT NULL,
	`resource` text NOT NULL,
	`value` integer NOT NULL,
	PRIMARY KEY(`scope`, `resource`)
);
--> statement-breakpoint
CREATE TABLE `credentials` (
	`id` text PRIMARY KEY NOT NULL,
	`product` text NOT NULL,
	`organization_id` text NOT NULL,
	`project_id` text NOT NULL,
	`nats_account_id` text,
	`name` text NOT NULL,
	`key` text NOT NULL,
	`sealed_secret` text,
	`sealing_key_id` text,
	`checksum` text NOT NULL,
	`permissions` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`last_used_at` integer,
	`expires_at` integer,
	CONSTRAINT "credentials_permissions" CHECK(case when nats_account_id is null then coalesce(permissions, 0) between 1 and 7 else permissions is null end)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `credentials_by_key` ON `credentials` (`key`);--> statement-breakpoint
CREATE INDEX `credentials_by_created` ON `credentials` (`project_id`,`product`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `credentials_by_updated` ON `credentials` (`project_id`,`product`,`updated_at`,`id`);--> statement-breakpoint
CREATE INDEX `credentials_by_name` ON `credentials` (`project_id`,`product`,`name`,`id`);--> statement-breakpoint
CREATE INDEX `credentials_of_account_by_created` ON `credentials` (`nats_account_id`,`created_at`,`id`) WHERE nats_account_id is not null;--> statement-breakpoint
CREATE INDEX `credentials_of_account_by_updated` ON `credentials` (`nats_account_id`,`updated_at`,`id`) WHERE nats_account_id is not null;--> statement-breakpoint
CREATE INDEX `credentials_of_account_by_name` ON `credentials` (`nats_account_id`,`name`,`id`) WHERE nats_account_id is not null;--> statement-breakpoint
CREATE INDEX `credentials_by_sealing_key` ON `credentials` (`sealing_key_id`) WHERE sealing_key_id is not null;--> statement-breakpoint
CREATE TABLE `nats_accounts` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`signing_key` text NOT NULL,
	`sealed_signing_seed` text NOT NULL,
	`sealing_key_id` text NOT NULL,
	`revision` integer NOT NULL,
	`issued_at` integer NOT NULL,
	`acknowledged_revision` integer NOT NULL,
	`acknowledged_servers` integer NOT NULL,
	`servers` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer,
	`purged_at` integer
);
--> statement-breakpoint
CREATE INDEX `nats_accounts_by_created` ON `nats_accounts` (`project_id`,`created_at`,`id`) WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX `nats_accounts_by_updated` ON `nats_accounts` (`project_id`,`updated_at`,`id`) WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX `nats_accounts_by_name` ON `nats_accounts` (`project_id`,`name`,`id`) WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX `nats_accounts_by_sealing_key` ON `nats_accounts` (`sealing_key_id`);--> statement-breakpoint
CREATE INDEX `nats_accounts_unfinished` ON `nats_accounts` (`id`) WHERE acknowledged_revision < revision or (deleted_at is not null and purged_at is null);--> statement-breakpoint
CREATE TABLE `nats_revocations` (
	`account_id` text NOT NULL,
	`user_key` text NOT NULL,
	`revoked_at` integer NOT NULL,
	`issued_at` integer NOT NULL,
	`expires_at` integer,
	PRIMARY KEY(`account_id`, `user_key`)
);
--> statement-breakpoint
CREATE TABLE `services` (
	`organization_id` text NOT NULL,
	`project_id` text NOT NULL,
	`product` text NOT NULL,
	`status` text NOT NULL,
	`prefix` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`project_id`, `product`)
);
