/** What every room knows about the products. Their credential life cycle is in credentials/products.ts. */
import type { ProductId } from '../../db/products.ts';

/** Product → label shown to people. */
export const PRODUCT_LABELS = {
  nats: 'NATS',
  sqs: 'Queues',
  sns: 'Topics and Events',
} as const satisfies Record<ProductId, string>;

const ACCESS_KEY = 'LKEY[0-9A-Za-z]{16}';

/** Product → regular expression for the public key of its credentials. */
export const PUBLIC_KEYS = {
  nats: 'U[A-Z2-7]{55}',
  sqs: ACCESS_KEY,
  sns: ACCESS_KEY,
} as const satisfies Record<ProductId, string>;

/** Regular expression for every public key that can be looked up; also an API key's, and a NATS account's id. */
export const ANY_PUBLIC_KEY = [
  ...new Set(Object.values(PUBLIC_KEYS)),
  'SCW[A-Z0-9]{17}',
  'A[A-Z2-7]{55}',
].join('|');
