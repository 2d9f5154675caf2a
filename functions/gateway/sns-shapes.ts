/**
 * Defines the shapes of SNS's requests and responses after its API reference, limited to what the gateway supports:
 * attributes that are not listed can neither be set nor read. Actions refer to them in actions.ts.
 */
import type { Member, Scalar, Shape, Structure } from './shapes.ts';

export const topicArn: Member = { shape: { reference: 'topicArn' }, required: true };

export const subscriptionArn: Member = { shape: { reference: 'subscriptionArn' }, required: true };

const required: Member = { shape: 'string', required: true };

const list = (of: Shape): Member => ({ shape: { list: of, wrapped: true } });

const KEY_VALUE = { key: 'key', value: 'value', wrapped: true };
const attributes = (of: Readonly<Record<string, Scalar>>): Member => ({
  shape: { attributes: of, ...KEY_VALUE },
});

/**
 * Attributes of a topic that can be set. `Policy`, `Kms…` and the feedback roles are excluded: they would grant rights
 * on the engine.
 */
export const TOPIC_ATTRIBUTES: Readonly<Record<string, Scalar>> = {
  DisplayName: 'string',
  DeliveryPolicy: 'string',
  FifoTopic: 'string',
  ContentBasedDeduplication: 'string',
  FifoThroughputScope: 'string',
  SignatureVersion: 'string',
};

export const topicAttributes = attributes(TOPIC_ATTRIBUTES);

/** Attributes of a topic that responses include. */
export const readableTopicAttributes = attributes({
  ...TOPIC_ATTRIBUTES,
  TopicArn: { reference: 'topicArn' },
  Owner: { reference: 'owner' },
  EffectiveDeliveryPolicy: 'string',
  SubscriptionsConfirmed: 'string',
  SubscriptionsPending: 'string',
  SubscriptionsDeleted: 'string',
});

/**
 * Attributes of a subscription that can be set. `SubscriptionRoleArn` is excluded: it is a role of the engine's
 * account.
 */
export const SUBSCRIPTION_ATTRIBUTES: Readonly<Record<string, Scalar>> = {
  RawMessageDelivery: 'string',
  FilterPolicy: 'string',
  FilterPolicyScope: 'string',
  DeliveryPolicy: 'string',
  RedrivePolicy: { reference: 'redrivePolicy' },
};

export const subscriptionAttributes = attributes(SUBSCRIPTION_ATTRIBUTES);

/** Attributes of a subscription that responses include. `Endpoint` is a queue ARN or a URL. */
export const readableSubscriptionAttributes = attributes({
  ...SUBSCRIPTION_ATTRIBUTES,
  SubscriptionArn: { reference: 'subscriptionArn' },
  TopicArn: { reference: 'topicArn' },
  Endpoint: { reference: 'endpoint' },
  Owner: { reference: 'owner' },
  Protocol: 'string',
  ConfirmationWasAuthenticated: 'string',
  PendingConfirmation: 'string',
  EffectiveDeliveryPolicy: 'string',
});

const messageAttributes: Member = {
  shape: {
    map: {
      members: { DataType: required, StringValue: { shape: 'string' }, BinaryValue: { shape: 'blob' } },
    },
    key: 'Name',
    value: 'Value',
    wrapped: true,
  },
};

/** Members of a message to publish, alone or in a batch. */
export const message: Structure['members'] = {
  Message: required,
  Subject: { shape: 'string' },
  MessageStructure: { shape: 'string' },
  MessageAttributes: messageAttributes,
  MessageDeduplicationId: { shape: 'string' },
  MessageGroupId: { shape: 'string' },
};

export const entries: Member = { ...list({ members: { Id: required, ...message } }), required: true };

/** The engine's result for a published message. */
export const published: Structure['members'] = {
  MessageId: required,
  SequenceNumber: { shape: 'string' },
};

/** The results of a batch's entries. */
export const results: Structure['members'] = {
  Successful: list({ members: { Id: required, ...published } }),
  Failed: list({
    members: {
      Id: required,
      Code: required,
      Message: { shape: { reference: 'prose' } },
      SenderFault: { shape: 'boolean' },
    },
  }),
};

export const page: Structure['members'] = { NextToken: { shape: 'string' } };

export const topics: Structure['members'] = { Topics: list({ members: { TopicArn: topicArn } }), ...page };

export const subscriptions: Structure['members'] = {
  Subscriptions: list({
    members: {
      SubscriptionArn: subscriptionArn,
      Owner: { shape: { reference: 'owner' } },
      Protocol: { shape: 'string' },
      Endpoint: { shape: { reference: 'endpoint' } },
      TopicArn: topicArn,
    },
  }),
  ...page,
};

export const tags: Structure['members'] = {
  Tags: list({ members: { Key: required, Value: { shape: 'string' } } }),
};

export const tagKeys: Member = { ...list('string'), required: true };
