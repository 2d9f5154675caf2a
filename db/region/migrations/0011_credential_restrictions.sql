ALTER TABLE `credentials` ADD `resources` text;--> statement-breakpoint
ALTER TABLE `credentials` ADD `source_ips` text;