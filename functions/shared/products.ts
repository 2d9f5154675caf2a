/** What every room knows about the products. Their credential life cycle is in credentials/products.ts. */
import type { ProductId } from '../../db/products.ts';

export type { AccessKeyProductId, ProductId } from '../../db/products.ts';

/** Product → label shown to people. */
export const PRODUCT_LABELS = {
  nats: 'NATS',
  sqs: 'Queues',
  sns: 'Topics and Events',
} as const satisfies Record<ProductId, string>;
