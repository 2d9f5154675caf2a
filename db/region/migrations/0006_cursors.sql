CREATE TABLE `cursors` (
	`job` text PRIMARY KEY NOT NULL,
	`after` text NOT NULL
);
