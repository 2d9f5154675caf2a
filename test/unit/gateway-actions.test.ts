/**
 * What each action of Queues and of Topics and Events needs, written down a second time: permissions are a promise, and
 * a change of the table alone must not change it.
 */
import { describe, expect, it } from 'vitest';
import { actionOf, actions, allows, type Service } from '../../functions/gateway/actions.ts';

const PROMISED: Record<Service, Record<string, string>> = {
  sqs: {
    Manage:
      'CreateQueue DeleteQueue PurgeQueue SetQueueAttributes ListQueues ListDeadLetterSourceQueues TagQueue UntagQueue ListQueueTags',
    any: 'GetQueueUrl GetQueueAttributes',
    Write: 'SendMessage SendMessageBatch',
    Read: 'ReceiveMessage DeleteMessage DeleteMessageBatch',
    'Read or Manage': 'ChangeMessageVisibility ChangeMessageVisibilityBatch',
    none: 'AddPermission RemovePermission StartMessageMoveTask CancelMessageMoveTask ListMessageMoveTasks',
  },
  sns: {
    Manage: 'CreateTopic DeleteTopic SetTopicAttributes TagResource UntagResource ListTagsForResource',
    any: 'ListTopics',
    Write: 'Publish PublishBatch',
    Read: 'Subscribe ConfirmSubscription',
    'Read or Manage':
      'Unsubscribe GetSubscriptionAttributes SetSubscriptionAttributes ListSubscriptions ListSubscriptionsByTopic GetTopicAttributes',
    none: 'AddPermission RemovePermission GetDataProtectionPolicy PutDataProtectionPolicy CheckIfPhoneNumberIsOptedOut OptInPhoneNumber ListPhoneNumbersOptedOut ListOriginationNumbers GetSMSAttributes SetSMSAttributes GetSMSSandboxAccountStatus CreateSMSSandboxPhoneNumber DeleteSMSSandboxPhoneNumber ListSMSSandboxPhoneNumbers VerifySMSSandboxPhoneNumber CreatePlatformApplication DeletePlatformApplication ListPlatformApplications GetPlatformApplicationAttributes SetPlatformApplicationAttributes CreatePlatformEndpoint DeleteEndpoint GetEndpointAttributes SetEndpointAttributes ListEndpointsByPlatformApplication',
  },
};

const BITS: Record<string, number> = { Write: 1, Read: 2, Manage: 4 };

/** Which of the sets 1 to 7 are enough. */
function enough(promise: string): number[] {
  const sets = [1, 2, 3, 4, 5, 6, 7];
  if (promise === 'any') return sets;
  const mask = promise.split(' or ').reduce((sum, name) => sum | (BITS[name] ?? 0), 0);
  return sets.filter((set) => (set & mask) !== 0);
}

describe.each(['sqs', 'sns'] as const)('%s', (service) => {
  it.each(Object.entries(PROMISED[service]))('%s is enough for what was promised', (promise, names) => {
    for (const name of names.split(' ')) {
      const needs = actionOf(service, name)?.needs ?? 'refused';
      expect(
        [1, 2, 3, 4, 5, 6, 7].filter((set) => allows(needs, set)),
        name,
      ).toEqual(enough(promise));
    }
  });

  it('has these actions and no others', () => {
    const promised = Object.values(PROMISED[service]).join(' ').split(' ');
    expect(Object.keys(actions[service]).sort()).toEqual(promised.sort());
  });
});

it('a name that objects have anyway is no action', () => {
  expect(actionOf('sqs', 'toString')).toBeUndefined();
  expect(actionOf('sns', '__proto__')).toBeUndefined();
});
