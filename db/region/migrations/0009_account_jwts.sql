CREATE TABLE `nats_account_jwts` (
	`account_id` text PRIMARY KEY NOT NULL,
	`version` text NOT NULL,
	`jwt` text NOT NULL
);
