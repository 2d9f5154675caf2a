/**
 * The shapes of SNS's requests and answers, as its API reference has them, with what we let pass of each: an attribute
 * that is not listed cannot be set, and is not told. Which action has which is actions.ts's.
 */
import type { Member, Scalar, Shape, Structure } from './shapes.ts';

/** The topic that a request is about. */
export const topicArn: Member = { shape: { reference: 'topicArn' }, required: true };

/** The subscription that a request is about. */
export const subscriptionArn: Member = { shape: { reference: 'subscriptionArn' }, required: true };

const required: Member = { shape: 'string', required: true };

const list = (of: Shape): Member => ({ shape: { list: of, wrapped: true } });

const KEY_VALUE = { key: 'key', value: 'value', wrapped: true };
const attributes = (of: Readonly<Record<string, Scalar>>): Member => ({
  shape: { attributes: of, ...KEY_VALUE },
});

/** The attributes of a topic that can be set. Not `Policy`, `Kms…` and the roles of feedback: rights on the engine. */
export const TOPIC_ATTRIBUTES: Readonly<Record<string, Scalar>> = {
  DisplayName: 'string',
  DeliveryPolicy: 'string',
  FifoTopic: 'string',
  ContentBasedDeduplication: 'string',
  FifoThroughputScope: 'string',
  SignatureVersion: 'string',
};

/** See {@link TOPIC_ATTRIBUTES}. */
export const topicAttributes = attributes(TOPIC_ATTRIBUTES);

/** The attributes of a topic that are told. */
export const toldTopicAttributes = attributes({
  ...TOPIC_ATTRIBUTES,
  TopicArn: { reference: 'topicArn' },
  Owner: { reference: 'owner' },
  EffectiveDeliveryPolicy: 'string',
  SubscriptionsConfirmed: 'string',
  SubscriptionsPending: 'string',
  SubscriptionsDeleted: 'string',
});

/** The attributes of a subscription that can be set. Not `SubscriptionRoleArn`: a role of the engine's account. */
export const SUBSCRIPTION_ATTRIBUTES: Readonly<Record<string, Scalar>> = {
  RawMessageDelivery: 'string',
  FilterPolicy: 'string',
  FilterPolicyScope: 'string',
  DeliveryPolicy: 'string',
  RedrivePolicy: { reference: 'redrivePolicy' },
};

/** See {@link SUBSCRIPTION_ATTRIBUTES}. */
export const subscriptionAttributes = attributes(SUBSCRIPTION_ATTRIBUTES);

/** The attributes of a subscription that are told. `Endpoint` is a queue's ARN, or a URL. */
export const toldSubscriptionAttributes = attributes({
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

/** What is published: of one message, or of each in a batch. */
export const message: Structure['members'] = {
  Message: required,
  Subject: { shape: 'string' },
  MessageStructure: { shape: 'string' },
  MessageAttributes: messageAttributes,
  MessageDeduplicationId: { shape: 'string' },
  MessageGroupId: { shape: 'string' },
};

/** The entries of a batch. */
export const entries: Member = { ...list({ members: { Id: required, ...message } }), required: true };

/** What the engine says of a message that it took. */
export const published: Structure['members'] = {
  MessageId: required,
  SequenceNumber: { shape: 'string' },
};

/** What came of each entry of a batch. */
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

/** Which page of a list. */
export const page: Structure['members'] = { NextToken: { shape: 'string' } };

/** A page of topics. */
export const topics: Structure['members'] = { Topics: list({ members: { TopicArn: topicArn } }), ...page };

/** A page of subscriptions. */
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

/** Tags: of a topic, or to be set. */
export const tags: Structure['members'] = {
  Tags: list({ members: { Key: required, Value: { shape: 'string' } } }),
};

/** The keys of tags to remove. */
export const tagKeys: Member = { ...list('string'), required: true };
