/**
 * The permission that each action of Queues and of Topics and Events requires, stated independently of the code, so
 * that a change of the table alone fails here.
 */
import { describe, expect, it } from 'vitest';
import { actionOf, actions, allows, type Service } from '../../functions/gateway/actions.ts';

const REQUIRED: Record<Service, Record<string, string>> = {
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

/** Which of the permission sets 1 to 7 are sufficient. */
function sufficient(requirement: string): number[] {
  const sets = [1, 2, 3, 4, 5, 6, 7];
  if (requirement === 'any') return sets;
  const mask = requirement.split(' or ').reduce((sum, name) => sum | (BITS[name] ?? 0), 0);
  return sets.filter((set) => (set & mask) !== 0);
}

describe.each(['sqs', 'sns'] as const)('%s', (service) => {
  it.each(Object.entries(REQUIRED[service]))(
    'permission %s is required by the documented actions',
    (requirement, names) => {
      for (const name of names.split(' ')) {
        const permission = actionOf(service, name)?.requires ?? 'refused';
        expect(
          [1, 2, 3, 4, 5, 6, 7].filter((set) => allows(permission, set)),
          name,
        ).toEqual(sufficient(requirement));
      }
    },
  );

  it('has exactly these actions', () => {
    const required = Object.values(REQUIRED[service]).join(' ').split(' ');
    expect(Object.keys(actions[service]).sort()).toEqual(required.sort());
  });
});

it('an inherited object property is not an action', () => {
  expect(actionOf('sqs', 'toString')).toBeUndefined();
  expect(actionOf('sns', '__proto__')).toBeUndefined();
});
