/** The differences between Queues and Topics and Events on pages. Used by the build and in the browser. */
import type { AccessKeyProductId } from '../../../../db/products.ts';
import type { PERMISSIONS } from '../../../../functions/shared/permissions.ts';

export type { AccessKeyProductId };

export interface AccessKeyProduct {
  id: AccessKeyProductId;
  label: string;
  /** Its name in file names. */
  slug: string;
  /** Its page in the console. */
  page: string;
  /** How clients address its resources. */
  address: 'URL' | 'ARN';
  /** Whether every permission allows listing its resources. Otherwise only Manage does. */
  listable: boolean;
  /** Its resources, in the plural. */
  resources: string;
  /** What each permission allows, by its name in the API. */
  grants: Record<(typeof PERMISSIONS)[number]['apiName'], string>;
  example: string;
  /** What a revocation does not affect; empty if nothing. */
  remains: string;
  /** What a deactivation deletes. */
  ends: string;
}

export const ACCESS_KEY_PRODUCTS: Record<AccessKeyProductId, AccessKeyProduct> = {
  sqs: {
    id: 'sqs',
    label: 'Queues',
    slug: 'queues',
    page: '/console/queues/',
    address: 'URL',
    listable: false,
    resources: 'queues',
    grants: {
      can_publish: 'Send messages to queues',
      can_receive: 'Receive messages and delete them',
      can_manage: 'Create, change, list and delete queues',
    },
    example: '/how-to/connect-queues/',
    remains: '',
    ends: 'Its queues are deleted, with their messages and the subscriptions that deliver to them.',
  },
  sns: {
    id: 'sns',
    label: 'Topics and Events',
    slug: 'topics',
    page: '/console/topics-and-events/',
    address: 'ARN',
    listable: true,
    resources: 'topics',
    grants: {
      can_publish: 'Publish messages to topics',
      can_receive: 'Subscribe to topics',
      can_manage: 'Create, change and delete topics',
    },
    example: '/how-to/connect-topics/',
    remains:
      'Subscriptions that were created with it belong to the project, so they remain and keep delivering.',
    ends: 'Its topics are deleted with their subscriptions.',
  },
};
