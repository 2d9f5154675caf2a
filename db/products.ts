/** The products by id, as in paths, permission sets, rows and the audit trail. Add a product here first. */

/** Product → what its credentials belong to: a NATS account, or an activation of the product in the project. */
export const PRODUCT_PARENTS = { nats: 'nats_account', sqs: 'activation', sns: 'activation' } as const;

export type ProductId = keyof typeof PRODUCT_PARENTS;

export const PRODUCT_IDS = Object.keys(PRODUCT_PARENTS) as [ProductId, ...ProductId[]];

/** A product that is activated in a project. Its credentials are an access key and a secret key. */
export type AccessKeyProductId = {
  [Id in ProductId]: (typeof PRODUCT_PARENTS)[Id] extends 'activation' ? Id : never;
}[ProductId];

export const ACCESS_KEY_PRODUCT_IDS = PRODUCT_IDS.filter(
  (id): id is AccessKeyProductId => PRODUCT_PARENTS[id] === 'activation',
) as [AccessKeyProductId, ...AccessKeyProductId[]];
