/** The URLs of the pages that show one set of credentials. */
import type { ProductId } from '../../../db/products.ts';

/** The page of each product, without the parameters `id` and `region`. */
export const CREDENTIAL_PAGES: Record<ProductId, string> = {
  nats: '/console/nats/credentials/',
  sqs: '/console/queues/credentials/',
  sns: '/console/topics-and-events/credentials/',
};

/** Returns the URL of the page of credentials in the console. */
export function credentialPage(product: ProductId, { id, region }: { id: string; region: string }): string {
  return `${CREDENTIAL_PAGES[product]}?${new URLSearchParams({ id, region })}`;
}
