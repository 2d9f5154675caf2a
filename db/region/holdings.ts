/** Lists what a project holds in a region, before it is deleted and while its remains are removed. */
import { sql } from 'drizzle-orm';
import type { Database } from '../database.ts';
import type { ProductId } from '../products.ts';

/** A product that the project uses: NATS accounts (`nats`), or an activation. */
export interface ProductInUse {
  product: ProductId;
  organizationId: string;
}

/** Returns the products that the project uses. What an ended activation left on the engine does not count. */
export function listProductsInUse(db: Database, projectId: string): Promise<ProductInUse[]> {
  return db.all<ProductInUse>(sql`select 'nats' as product, organization_id as "organizationId" from (
      select organization_id from nats_accounts where project_id = ${projectId} and deleted_at is null limit 1)
    union all
    select product, organization_id from services where project_id = ${projectId} and status = 'enabled'`);
}
