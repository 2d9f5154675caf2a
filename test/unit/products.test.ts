/** What the compiler cannot check about the table of products. */
import { describe, expect, it } from 'vitest';
import { PRODUCT_IDS } from '../../db/products.ts';
import { grants, PRODUCT_PERMISSION_SETS } from '../../functions/iam/access/permission-sets.ts';
import { app } from '../../functions/index.ts';
import { describeApi } from '../../functions/openapi.ts';
import { ANY_PUBLIC_KEY, PUBLIC_KEYS } from '../../functions/shared/products.ts';

const { paths = {} } = describeApi(app, ['fr-par']);

describe.each(PRODUCT_IDS)('%s', (product) => {
  it('has mounted credentials endpoints', () => {
    expect(Object.keys(paths)).toContain(`/mnq/v1beta1/regions/{region}/${product}-credentials`);
  });

  it('has permission sets that grant reading and writing it', () => {
    const { read, write } = PRODUCT_PERMISSION_SETS[product];
    const granted = (set: string) => [
      grants(set, { resource: product, action: 'read' }),
      grants(set, { resource: product, action: 'write' }),
    ];
    expect(granted(read)).toEqual([true, false]);
    expect(granted(write)).toEqual([true, true]);
    expect(granted('MessagingAndQueuingReadOnly')).toEqual([true, false]);
    expect(granted('MessagingAndQueuingFullAccess')).toEqual([true, true]);
  });

  it('has a public key that can be looked up', () => {
    expect(ANY_PUBLIC_KEY.split('|')).toContain(PUBLIC_KEYS[product]);
  });
});
