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
CREATE INDEX `audit_events_by_organization` ON `audit_events` (`organization_id`,`at`,`id`);--> statement-breakpoint
CREATE INDEX `audit_events_by_actor` ON `audit_events` (`organization_id`,`actor_id`,`at`,`id`);--> statement-breakpoint
CREATE INDEX `audit_events_by_resource` ON `audit_events` (`organization_id`,`resource_id`,`at`,`id`);--> statement-breakpoint
INSERT INTO `counts` (`scope`, `resource`, `value`) SELECT `organization_id`, 'nats_accounts', count(*) FROM `nats_accounts` WHERE `deleted_at` IS NULL GROUP BY `organization_id`;
