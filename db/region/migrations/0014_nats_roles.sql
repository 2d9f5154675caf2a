CREATE TABLE `nats_roles` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` text NOT NULL,
	`project_id` text NOT NULL,
	`nats_account_id` text NOT NULL,
	`name` text NOT NULL,
	`definition` text NOT NULL,
	`size` integer NOT NULL,
	`signing_key` text NOT NULL,
	`sealed_signing_seed` text NOT NULL,
	`sealing_key_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `nats_roles_by_account` ON `nats_roles` (`nats_account_id`);--> statement-breakpoint
CREATE INDEX `nats_roles_by_created` ON `nats_roles` (`project_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `nats_roles_by_updated` ON `nats_roles` (`project_id`,`updated_at`,`id`);--> statement-breakpoint
CREATE INDEX `nats_roles_by_name` ON `nats_roles` (`project_id`,`name`,`id`);--> statement-breakpoint
CREATE INDEX `nats_roles_by_sealing_key` ON `nats_roles` (`sealing_key_id`);--> statement-breakpoint
ALTER TABLE `credentials` ADD `nats_role_id` text;--> statement-breakpoint
CREATE INDEX `credentials_by_role` ON `credentials` (`nats_role_id`) WHERE nats_role_id is not null;