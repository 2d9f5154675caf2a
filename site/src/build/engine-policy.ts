/**
 * The IAM policy that a region's key needs if its engine is AWS, derived from the gateway's table of actions. A test
 * compares it with the gateway's requests.
 */

import type * as z from 'zod';
import { actions, type Service } from '../../../functions/gateway/actions.ts';
import { prefixLetters } from '../../../functions/gateway/names.ts';
import type { engineSettings } from '../../../functions/shared/regions.ts';

/** The AWS partition, region and account of an engine. */
export type EnginePlace = Pick<z.output<typeof engineSettings>, 'partition' | 'region' | 'account'>;

export interface Statement {
  Sid: string;
  Effect: 'Allow';
  Action: string[];
  Resource: string;
}

/** Actions that the gateway handles from its inventory, without the engine. */
const ANSWERED_HERE: Record<Service, readonly string[]> = {
  sqs: ['ListQueues', 'ListDeadLetterSourceQueues'],
  sns: ['ListTopics', 'ListSubscriptions', 'ListSubscriptionsByTopic'],
};

/** IAM has no resource for these actions: a policy allows them for all subscriptions of the account, or for none. */
const ON_SUBSCRIPTIONS = [
  'sns:GetSubscriptionAttributes',
  'sns:SetSubscriptionAttributes',
  'sns:Unsubscribe',
];

/** Returns the IAM action. A batch action needs the same one as the single action. */
export function rightTo(service: Service, action: string): string {
  return `${service}:${action.replace(/Batch$/, '')}`;
}

/** Returns the IAM actions that the gateway needs for a service, sorted. */
export function neededRights(service: Service): string[] {
  const sent = Object.entries(actions[service])
    .filter(([name, { requires }]) => requires !== 'refused' && !ANSWERED_HERE[service].includes(name))
    .map(([name]) => rightTo(service, name));
  return [...new Set(sent)].sort();
}

/** Returns the IAM policy for the key `ENGINE_KEY_<REGION>`. */
export function enginePolicy(region: string, { partition, region: there, account }: EnginePlace) {
  const named = (service: Service) =>
    `arn:${partition}:${service}:${there}:${account}:${prefixLetters(region)}*`;
  const onTopics = neededRights('sns').filter((right) => !ON_SUBSCRIPTIONS.includes(right));
  const allow = (Sid: string, Action: string[], Resource: string): Statement => ({
    Sid,
    Effect: 'Allow',
    Action,
    Resource,
  });
  return {
    Version: '2012-10-17',
    Statement: [
      allow('Queues', neededRights('sqs'), named('sqs')),
      allow('Topics', onTopics, named('sns')),
      allow('Subscriptions', ON_SUBSCRIPTIONS, '*'),
    ],
  };
}
