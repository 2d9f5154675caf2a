/**
 * What sets Queues and Topics and Events apart on the pages, as data: their forms, dialogs and texts are the same.
 * Read while building and in the browser.
 */
import type { AccessKeyProductId } from '../../../../db/products.ts';
import type { PERMISSIONS } from '../../../../functions/shared/permissions.ts';

export type { AccessKeyProductId };

/** A product with permissions. */
export interface AccessKeyProduct {
  id: AccessKeyProductId;
  label: string;
  /** What file names call it. */
  slug: string;
  /** Its page in the console. */
  page: string;
  /** How clients name one of its resources. */
  address: 'URL' | 'ARN';
  /** Whether any permission suffices to list its resources; otherwise only Manage does. */
  listable: boolean;
  /** What it holds, in the plural. */
  resources: string;
  /** What each permission lets its bearer do, by the permission's name on the wire. */
  grants: Record<(typeof PERMISSIONS)[number]['apiName'], string>;
  /** The guide that connects a client. */
  example: string;
  /** What a revocation leaves as it is; empty when there is nothing to say. */
  remains: string;
  /** What a deactivation deletes. */
  ends: string;
}

/** See the file's description. */
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
