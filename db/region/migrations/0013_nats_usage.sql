CREATE TABLE `nats_usage` (
	`key` text PRIMARY KEY NOT NULL,
	`sampled_at` integer NOT NULL,
	`usage` text NOT NULL
);
