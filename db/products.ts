/** The ids of the products. A product's other properties are in functions/shared/products.ts and functions/credentials. */

/** As in paths, permission sets, credentials' rows, counts and the audit trail. */
export type ProductId = 'nats' | 'sqs' | 'sns';

/** Products whose credentials are an access key and a secret key, after an activation in the project. */
export type AccessKeyProductId = Exclude<ProductId, 'nats'>;
