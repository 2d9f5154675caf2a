/**
 * Defines every action of SQS and SNS: the permission it needs and the shapes of its request and response.
 * Authorization, parsing, renaming, serialization and the documentation of permissions all read this table. Side
 * effects of actions are in action-effects.ts.
 */
import type { AccessKeyProductId } from '../../db/products.ts';
import { bitsOf, type PermissionName } from '../shared/permissions.ts';
import type { Scalar, Structure } from './shapes.ts';
import * as sns from './sns-shapes.ts';
import * as sqs from './sqs-shapes.ts';

/** The services of the gateway, named as in a signature's scope: every product with access keys. */
export type Service = AccessKeyProductId;

/**
 * The permissions of which an action needs at least one. `authenticated` accepts all valid credentials; `refused`
 * rejects the action for everyone.
 */
export type RequiredPermission = readonly PermissionName[] | 'authenticated' | 'refused';

export interface Action {
  requires: RequiredPermission;
  input: Structure;
  output: Structure;
  /** The attributes that a request with `AttributeName` and `AttributeValue` can set, with the type of each value. */
  attribute?: Readonly<Record<string, Scalar>>;
  /** Runs to completion even if the client disconnects. */
  runToCompletion?: true;
}

const WRITE: RequiredPermission = ['can_publish'];
const READ: RequiredPermission = ['can_receive'];
const MANAGE: RequiredPermission = ['can_manage'];
const READ_OR_MANAGE: RequiredPermission = ['can_receive', 'can_manage'];

type Members = Structure['members'];

const action = (needs: RequiredPermission, input: Members, output: Members = {}): Action => ({
  requires: needs,
  input: { members: input },
  output: { members: output },
});
const refused = (names: string): Record<string, Action> =>
  Object.fromEntries(names.split(' ').map((name) => [name, action('refused', {})]));

/** For actions that change both the engine and the inventory: an interruption would leave them inconsistent. */
const toCompletion = (of: Action): Action => ({ ...of, runToCompletion: true });

const { queueUrl } = sqs;
const url = { QueueUrl: queueUrl };

const sqsActions: Record<string, Action> = {
  CreateQueue: toCompletion(
    action(
      MANAGE,
      {
        QueueName: { shape: { reference: 'queueName' }, required: true },
        Attributes: sqs.queueAttributes,
        ...sqs.tags('tags'),
      },
      url,
    ),
  ),
  DeleteQueue: toCompletion(action(MANAGE, url)),
  PurgeQueue: action(MANAGE, url),
  SetQueueAttributes: toCompletion(
    action(MANAGE, { ...url, Attributes: { ...sqs.queueAttributes, required: true } }),
  ),
  ListQueues: action(
    MANAGE,
    { QueueNamePrefix: { shape: 'string' }, ...sqs.page },
    sqs.queueUrls('QueueUrls'),
  ),
  GetQueueUrl: action(
    'authenticated',
    {
      QueueName: { shape: { reference: 'queueName' }, required: true },
      QueueOwnerAWSAccountId: { shape: { reference: 'owner' } },
    },
    url,
  ),
  GetQueueAttributes: action(
    'authenticated',
    { ...url, AttributeNames: sqs.attributeNames },
    { Attributes: sqs.readableQueueAttributes },
  ),
  SendMessage: action(WRITE, { ...url, ...sqs.message }, sqs.sent),
  SendMessageBatch: action(
    WRITE,
    { ...url, Entries: sqs.entries('SendMessageBatch', sqs.message) },
    sqs.results('SendMessageBatch', sqs.sent),
  ),
  ReceiveMessage: action(READ, sqs.receive, sqs.received),
  DeleteMessage: action(READ, { ...url, ...sqs.receipt }),
  DeleteMessageBatch: action(
    READ,
    { ...url, Entries: sqs.entries('DeleteMessageBatch', sqs.receipt) },
    sqs.results('DeleteMessageBatch'),
  ),
  ChangeMessageVisibility: action(READ_OR_MANAGE, { ...url, ...sqs.visibility }),
  ChangeMessageVisibilityBatch: action(
    READ_OR_MANAGE,
    { ...url, Entries: sqs.entries('ChangeMessageVisibilityBatch', sqs.visibility) },
    sqs.results('ChangeMessageVisibilityBatch'),
  ),
  ListDeadLetterSourceQueues: action(MANAGE, { ...url, ...sqs.page }, sqs.queueUrls('queueUrls')),
  TagQueue: action(MANAGE, { ...url, ...sqs.tags('Tags') }),
  UntagQueue: action(MANAGE, { ...url, TagKeys: sqs.tagKeys }),
  ListQueueTags: action(MANAGE, url, sqs.tags('Tags')),
  ...refused(
    'AddPermission RemovePermission StartMessageMoveTask CancelMessageMoveTask ListMessageMoveTasks',
  ),
};

const topic = { TopicArn: sns.topicArn };
const subscription = { SubscriptionArn: sns.subscriptionArn };
const resource = { ResourceArn: sns.topicArn };
const rejected = { shape: 'string', refused: true } as const;
const attributePair: Members = {
  AttributeName: { shape: 'string', required: true },
  AttributeValue: { shape: 'string' },
};

const snsActions: Record<string, Action> = {
  CreateTopic: toCompletion(
    action(
      MANAGE,
      {
        Name: { shape: { reference: 'topicName' }, required: true },
        Attributes: sns.topicAttributes,
        ...sns.tags,
        DataProtectionPolicy: rejected,
      },
      topic,
    ),
  ),
  DeleteTopic: toCompletion(action(MANAGE, topic)),
  SetTopicAttributes: {
    ...action(MANAGE, { ...topic, ...attributePair }),
    attribute: sns.TOPIC_ATTRIBUTES,
  },
  GetTopicAttributes: action(READ_OR_MANAGE, topic, { Attributes: sns.readableTopicAttributes }),
  ListTopics: action('authenticated', sns.page, sns.topics),
  Publish: action(
    WRITE,
    { PhoneNumber: rejected, TopicArn: { ...sns.topicArn, alias: 'TargetArn' }, ...sns.message },
    sns.published,
  ),
  PublishBatch: action(WRITE, { ...topic, PublishBatchRequestEntries: sns.entries }, sns.results),
  Subscribe: toCompletion(
    action(
      READ,
      {
        ...topic,
        Protocol: { shape: 'string', required: true },
        Endpoint: { shape: { reference: 'endpoint' }, required: true },
        Attributes: sns.subscriptionAttributes,
        ReturnSubscriptionArn: { shape: 'boolean' },
      },
      subscription,
    ),
  ),
  ConfirmSubscription: action(
    READ,
    {
      ...topic,
      Token: { shape: 'string', required: true },
      AuthenticateOnUnsubscribe: { shape: 'string' },
    },
    subscription,
  ),
  Unsubscribe: toCompletion(action(READ_OR_MANAGE, subscription)),
  GetSubscriptionAttributes: action(READ_OR_MANAGE, subscription, {
    Attributes: sns.readableSubscriptionAttributes,
  }),
  SetSubscriptionAttributes: {
    ...action(READ_OR_MANAGE, { ...subscription, ...attributePair }),
    attribute: sns.SUBSCRIPTION_ATTRIBUTES,
  },
  ListSubscriptions: action(READ_OR_MANAGE, sns.page, sns.subscriptions),
  ListSubscriptionsByTopic: action(READ_OR_MANAGE, { ...topic, ...sns.page }, sns.subscriptions),
  TagResource: action(MANAGE, { ...resource, ...sns.tags }),
  UntagResource: action(MANAGE, { ...resource, TagKeys: sns.tagKeys }),
  ListTagsForResource: action(MANAGE, resource, sns.tags),
  ...refused(
    `AddPermission RemovePermission GetDataProtectionPolicy PutDataProtectionPolicy
    CheckIfPhoneNumberIsOptedOut OptInPhoneNumber ListPhoneNumbersOptedOut ListOriginationNumbers
    GetSMSAttributes SetSMSAttributes GetSMSSandboxAccountStatus CreateSMSSandboxPhoneNumber
    DeleteSMSSandboxPhoneNumber ListSMSSandboxPhoneNumbers VerifySMSSandboxPhoneNumber
    CreatePlatformApplication DeletePlatformApplication ListPlatformApplications
    GetPlatformApplicationAttributes SetPlatformApplicationAttributes CreatePlatformEndpoint DeleteEndpoint
    GetEndpointAttributes SetEndpointAttributes ListEndpointsByPlatformApplication`.replaceAll(/\s+/g, ' '),
  ),
};

/** Service → action name → action. */
export const actions: Readonly<Record<Service, Readonly<Record<string, Action>>>> = {
  sqs: sqsActions,
  sns: snsActions,
};

/** Whether the gateway serves this service. */
export function isService(name: string): name is Service {
  return Object.hasOwn(actions, name);
}

/** Returns the action with this name, or undefined if the service has none. */
export function actionOf(service: Service, name: string): Action | undefined {
  return Object.hasOwn(actions[service], name) ? actions[service][name] : undefined;
}

/** Whether these permission bits satisfy an action's requirement. */
export function allows(needs: RequiredPermission, bits: number): boolean {
  if (typeof needs === 'string') return needs === 'authenticated';
  return (bits & bitsOf(Object.fromEntries(needs.map((name) => [name, true])))) !== 0;
}
