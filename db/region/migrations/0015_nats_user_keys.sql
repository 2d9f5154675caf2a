CREATE TABLE `nats_user_keys` (
	`key` text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
-- The keys that are still known. Those of rotations are in the audit trail; of other revoked users, the revocation list has them.
INSERT OR IGNORE INTO `nats_user_keys` (`key`)
SELECT `key` FROM `credentials` WHERE `nats_account_id` IS NOT NULL
UNION SELECT `previous_key` FROM `rotations` JOIN `credentials` ON `id` = `credential_id` WHERE `nats_account_id` IS NOT NULL
UNION SELECT `user_key` FROM `nats_revocations` WHERE `user_key` <> '*'
UNION SELECT `before` ->> 'key' FROM `audit_events` WHERE `resource` = 'nats_credentials' AND `before` ->> 'key' IS NOT NULL
UNION SELECT `after` ->> 'key' FROM `audit_events` WHERE `resource` = 'nats_credentials' AND `after` ->> 'key' IS NOT NULL;
