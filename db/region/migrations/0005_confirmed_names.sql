ALTER TABLE `queues` ADD `policy` text;--> statement-breakpoint
ALTER TABLE `queues` ADD `confirmed` integer DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE `topics` ADD `confirmed` integer DEFAULT true NOT NULL;