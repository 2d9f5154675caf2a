CREATE TABLE `idempotency_keys` (
	`key` text PRIMARY KEY NOT NULL,
	`fingerprint` text NOT NULL,
	`salt` text NOT NULL,
	`sealing_key_id` text NOT NULL,
	`resource_id` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_by_created` ON `idempotency_keys` (`created_at`);--> statement-breakpoint
CREATE TABLE `invitations` (
	`user_id` text NOT NULL,
	`organization_id` text NOT NULL,
	`token_hash` text NOT NULL,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`user_id`, `organization_id`),
	FOREIGN KEY (`user_id`,`organization_id`) REFERENCES `memberships`(`user_id`,`organization_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `invitations_by_token` ON `invitations` (`token_hash`);--> statement-breakpoint
CREATE TABLE `policies` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` text NOT NULL,
	`name` text NOT NULL,
	`description` text NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`user_id` text,
	`application_id` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null,
	FOREIGN KEY (`application_id`) REFERENCES `applications`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "policies_principal" CHECK(user_id is null or application_id is null)
);
--> statement-breakpoint
CREATE INDEX `policies_by_organization` ON `policies` (`organization_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `policies_by_user` ON `policies` (`user_id`,`organization_id`) WHERE user_id is not null;--> statement-breakpoint
CREATE INDEX `policies_by_application` ON `policies` (`application_id`) WHERE application_id is not null;--> statement-breakpoint
CREATE TABLE `rules` (
	`id` text PRIMARY KEY NOT NULL,
	`policy_id` text NOT NULL,
	`position` integer NOT NULL,
	`permission_sets` text NOT NULL,
	`project_ids` text,
	FOREIGN KEY (`policy_id`) REFERENCES `policies`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `rules_by_policy` ON `rules` (`policy_id`,`position`);--> statement-breakpoint
DROP INDEX `api_keys_by_organization`;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `last_used_at` integer;--> statement-breakpoint
CREATE INDEX `api_keys_by_organization` ON `api_keys` (`organization_id`,`created_at`,`access_key`);--> statement-breakpoint
DROP INDEX `applications_by_organization`;--> statement-breakpoint
ALTER TABLE `applications` ADD `tags` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
CREATE INDEX `applications_by_organization` ON `applications` (`organization_id`,`created_at`,`id`);--> statement-breakpoint
DROP INDEX `memberships_by_organization`;--> statement-breakpoint
ALTER TABLE `memberships` ADD `joined_at` integer;--> statement-breakpoint
CREATE INDEX `memberships_by_organization` ON `memberships` (`organization_id`,`created_at`,`user_id`);--> statement-breakpoint
CREATE INDEX `audit_events_by_organization` ON `audit_events` (`organization_id`,`at`,`id`);--> statement-breakpoint
CREATE INDEX `audit_events_by_actor` ON `audit_events` (`organization_id`,`actor_id`,`at`,`id`);--> statement-breakpoint
CREATE INDEX `audit_events_by_resource` ON `audit_events` (`organization_id`,`resource_id`,`at`,`id`);--> statement-breakpoint
CREATE INDEX `projects_unsettled` ON `projects` (`updated_at`) WHERE status <> 'active';--> statement-breakpoint
UPDATE `memberships` SET `joined_at` = `created_at`;
