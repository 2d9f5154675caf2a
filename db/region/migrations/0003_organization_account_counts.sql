-- The total of an organization gets a scope of its own, since its first project can have the same id.
INSERT INTO `counts` (`scope`, `resource`, `value`) SELECT 'organization:' || `organization_id`, 'nats_accounts', count(*) FROM `nats_accounts` WHERE `deleted_at` IS NULL GROUP BY `organization_id`;
