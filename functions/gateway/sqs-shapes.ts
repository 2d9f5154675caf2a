/**
 * The shapes of SQS's requests and answers, as its API reference has them, with what we let pass of each: an attribute
 * that is not listed cannot be set, and is not told. Which action has which is actions.ts's.
 */
import type { Member, Scalar, Shape, Structure } from './shapes.ts';

/** The queue that a request is about. */
export const queueUrl: Member = { shape: { reference: 'queueUrl' }, required: true };

const flat = (list: Shape, query: string): Member => ({ shape: { list, wrapped: false }, query });
const batchOf = (members: Structure['members'], query: string): Member => ({
  ...flat({ members }, query),
  required: true,
});

const NAME_VALUE = { key: 'Name', value: 'Value', wrapped: false };
const attributes = (of: Readonly<Record<string, Scalar>>): Member => ({
  shape: { attributes: of, ...NAME_VALUE },
  query: 'Attribute',
});

const required: Member = { shape: 'string', required: true };

const SETTABLE: Readonly<Record<string, Scalar>> = {
  VisibilityTimeout: 'string',
  DelaySeconds: 'string',
  MaximumMessageSize: 'string',
  MessageRetentionPeriod: 'string',
  ReceiveMessageWaitTimeSeconds: 'string',
  FifoQueue: 'string',
  ContentBasedDeduplication: 'string',
  DeduplicationScope: 'string',
  FifoThroughputLimit: 'string',
  SqsManagedSseEnabled: 'string',
  RedrivePolicy: { reference: 'redrivePolicy' },
  Policy: { reference: 'policy' },
};

/** The attributes of a queue that can be set. */
export const queueAttributes = attributes(SETTABLE);

/** The attributes of a queue that are told. */
export const toldQueueAttributes = attributes({
  ...SETTABLE,
  QueueArn: { reference: 'queueArn' },
  ApproximateNumberOfMessages: 'string',
  ApproximateNumberOfMessagesNotVisible: 'string',
  ApproximateNumberOfMessagesDelayed: 'string',
  CreatedTimestamp: 'string',
  LastModifiedTimestamp: 'string',
});

const messageAttributes = (query: string): Member => ({
  shape: {
    map: {
      members: {
        DataType: required,
        StringValue: { shape: 'string' },
        BinaryValue: { shape: 'blob' },
        // SQS reserves these two and refuses them.
        StringListValues: { ...flat('string', 'StringListValue'), refused: true },
        BinaryListValues: { ...flat('blob', 'BinaryListValue'), refused: true },
      },
    },
    ...NAME_VALUE,
  },
  query,
});

/** What is sent: of one message, or of each in a batch. */
export const message: Structure['members'] = {
  MessageBody: required,
  DelaySeconds: { shape: 'integer' },
  MessageAttributes: messageAttributes('MessageAttribute'),
  MessageSystemAttributes: messageAttributes('MessageSystemAttribute'),
  MessageDeduplicationId: { shape: 'string' },
  MessageGroupId: { shape: 'string' },
};

/** What the engine says of a message that it took. */
export const sent: Structure['members'] = {
  MessageId: required,
  MD5OfMessageBody: required,
  MD5OfMessageAttributes: { shape: 'string' },
  MD5OfMessageSystemAttributes: { shape: 'string' },
  SequenceNumber: { shape: 'string' },
};

/** The entries of a batch. */
export const entries = (action: string, members: Structure['members']): Member =>
  batchOf({ Id: required, ...members }, `${action}RequestEntry`);

/** What came of each entry of a batch. */
export const results = (
  action: string,
  members: Structure['members'] = {},
): Record<'Successful' | 'Failed', Member> => ({
  Successful: flat({ members: { Id: required, ...members } }, `${action}ResultEntry`),
  Failed: flat(
    {
      members: {
        Id: required,
        SenderFault: { shape: 'boolean' },
        Code: required,
        Message: { shape: { reference: 'prose' } },
      },
    },
    'BatchResultErrorEntry',
  ),
});

/** What a receive asks for. */
export const receive: Structure['members'] = {
  QueueUrl: queueUrl,
  AttributeNames: flat('string', 'AttributeName'),
  MessageSystemAttributeNames: flat('string', 'MessageSystemAttributeName'),
  MessageAttributeNames: flat('string', 'MessageAttributeName'),
  MaxNumberOfMessages: { shape: 'integer' },
  VisibilityTimeout: { shape: 'integer' },
  WaitTimeSeconds: { shape: 'integer' },
  ReceiveRequestAttemptId: { shape: 'string' },
};

/** What a receive gets. */
export const received: Structure['members'] = {
  Messages: flat(
    {
      members: {
        MessageId: required,
        ReceiptHandle: required,
        MD5OfBody: { shape: 'string' },
        Body: required,
        Attributes: attributes({
          SenderId: { reference: 'owner' },
          SentTimestamp: 'string',
          ApproximateReceiveCount: 'string',
          ApproximateFirstReceiveTimestamp: 'string',
          SequenceNumber: 'string',
          MessageDeduplicationId: 'string',
          MessageGroupId: 'string',
          AWSTraceHeader: 'string',
          DeadLetterQueueSourceArn: { reference: 'queueArn' },
        }),
        MD5OfMessageAttributes: { shape: 'string' },
        MessageAttributes: messageAttributes('MessageAttribute'),
      },
    },
    'Message',
  ),
};

/** A page of a list of queues, under the name that the action has for it. */
export const queueUrls = (name: string): Structure['members'] => ({
  [name]: flat({ reference: 'queueUrl' }, 'QueueUrl'),
  NextToken: { shape: 'string' },
});

/** The tags of a queue. */
export const tags = (name: string): Structure['members'] => ({
  [name]: { shape: { map: 'string', key: 'Key', value: 'Value', wrapped: false }, query: 'Tag' },
});

/** The names of attributes that are asked for. */
export const attributeNames = flat('string', 'AttributeName');

/** The keys of tags to remove. */
export const tagKeys: Member = { ...flat('string', 'TagKey'), required: true };

/** One message, by the handle of its receipt. */
export const receipt: Structure['members'] = { ReceiptHandle: required };

/** The new visibility of one message. */
export const visibility: Structure['members'] = {
  ...receipt,
  VisibilityTimeout: { shape: 'integer', required: true },
};

/** Which page of a list. */
export const page: Structure['members'] = {
  MaxResults: { shape: 'integer' },
  NextToken: { shape: 'string' },
};
