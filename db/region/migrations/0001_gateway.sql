CREATE TABLE `deactivations` (
	`prefix` text PRIMARY KEY NOT NULL,
	`product` text NOT NULL,
	`project_id` text NOT NULL,
	`since` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `queues` (
	`prefix` text NOT NULL,
	`name` text NOT NULL,
	`dead_letter_queue` text,
	`asked_at` integer NOT NULL,
	PRIMARY KEY(`prefix`, `name`)
);
--> statement-breakpoint
CREATE INDEX `queues_by_dead_letter_queue` ON `queues` (`prefix`,`dead_letter_queue`,`name`) WHERE dead_letter_queue is not null;--> statement-breakpoint
CREATE TABLE `subscriptions` (
	`prefix` text NOT NULL,
	`topic` text NOT NULL,
	`id` text NOT NULL,
	`protocol` text NOT NULL,
	`endpoint` text NOT NULL,
	`queue_prefix` text,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`prefix`, `topic`, `id`)
);
--> statement-breakpoint
CREATE INDEX `subscriptions_by_queue_prefix` ON `subscriptions` (`queue_prefix`) WHERE queue_prefix is not null;--> statement-breakpoint
CREATE TABLE `topics` (
	`prefix` text NOT NULL,
	`name` text NOT NULL,
	`asked_at` integer NOT NULL,
	PRIMARY KEY(`prefix`, `name`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `services_by_prefix` ON `services` (`prefix`);