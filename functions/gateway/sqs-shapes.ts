/**
 * Defines the shapes of SQS's requests and responses after its API reference, limited to what the gateway supports:
 * attributes that are not listed can neither be set nor read. Actions refer to them in actions.ts.
 */
import type { Member, Scalar, Shape, Structure } from './shapes.ts';

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

/** Attributes of a queue that can be set. */
export const queueAttributes = attributes(SETTABLE);

/** Attributes of a queue that responses include. */
export const readableQueueAttributes = attributes({
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
        // SQS reserves these two members and refuses them.
        StringListValues: { ...flat('string', 'StringListValue'), refused: true },
        BinaryListValues: { ...flat('blob', 'BinaryListValue'), refused: true },
      },
    },
    ...NAME_VALUE,
  },
  query,
});

/** Members of a message to send, alone or in a batch. */
export const message: Structure['members'] = {
  MessageBody: required,
  DelaySeconds: { shape: 'integer' },
  MessageAttributes: messageAttributes('MessageAttribute'),
  MessageSystemAttributes: messageAttributes('MessageSystemAttribute'),
  MessageDeduplicationId: { shape: 'string' },
  MessageGroupId: { shape: 'string' },
};

/** The engine's result for a sent message. */
export const sent: Structure['members'] = {
  MessageId: required,
  MD5OfMessageBody: required,
  MD5OfMessageAttributes: { shape: 'string' },
  MD5OfMessageSystemAttributes: { shape: 'string' },
  SequenceNumber: { shape: 'string' },
};

export const entries = (action: string, members: Structure['members']): Member =>
  batchOf({ Id: required, ...members }, `${action}RequestEntry`);

/** The results of a batch's entries. */
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

/** Members of a receive request. */
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

/** Members of a receive response. */
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

/** A page of queues. `name` is the action's member for the list. */
export const queueUrls = (name: string): Structure['members'] => ({
  [name]: flat({ reference: 'queueUrl' }, 'QueueUrl'),
  NextToken: { shape: 'string' },
});

export const tags = (name: string): Structure['members'] => ({
  [name]: { shape: { map: 'string', key: 'Key', value: 'Value', wrapped: false }, query: 'Tag' },
});

/** The attributes that a request asks for. */
export const attributeNames = flat('string', 'AttributeName');

export const tagKeys: Member = { ...flat('string', 'TagKey'), required: true };

export const receipt: Structure['members'] = { ReceiptHandle: required };

export const visibility: Structure['members'] = {
  ...receipt,
  VisibilityTimeout: { shape: 'integer', required: true },
};

export const page: Structure['members'] = {
  MaxResults: { shape: 'integer' },
  NextToken: { shape: 'string' },
};
