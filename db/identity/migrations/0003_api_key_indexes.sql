CREATE INDEX `api_keys_by_user` ON `api_keys` (`user_id`) WHERE user_id is not null;--> statement-breakpoint
CREATE INDEX `api_keys_by_application` ON `api_keys` (`application_id`) WHERE application_id is not null;--> statement-breakpoint
CREATE INDEX `api_keys_by_default_project` ON `api_keys` (`default_project_id`);