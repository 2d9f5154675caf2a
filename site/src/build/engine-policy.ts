/**
 * The rights that a region's key needs at AWS as the engine, as an IAM policy: what the gateway's table of actions sends
 * there, on names that the gateway allots in that region. Made while the site builds; what the gateway really sends is
 * held against it by a test.
 */

import type * as z from 'zod';
import { actions, type Service } from '../../../functions/gateway/actions.ts';
import { prefixLetters } from '../../../functions/gateway/names.ts';
import type { engineSettings } from '../../../functions/shared/regions.ts';

/** Where queues and topics are at AWS: `partition`, `region` and `account` of a region's `engine`. */
export type EnginePlace = Pick<z.output<typeof engineSettings>, 'partition' | 'region' | 'account'>;

/** A statement of an IAM policy. */
export interface Statement {
  Sid: string;
  Effect: 'Allow';
  Action: string[];
  Resource: string;
}

/** What the gateway answers from its own inventory: the engine never hears of it. */
const ANSWERED_HERE: Record<Service, readonly string[]> = {
  sqs: ['ListQueues', 'ListDeadLetterSourceQueues'],
  sns: ['ListTopics', 'ListSubscriptions', 'ListSubscriptionsByTopic'],
};

/** AWS has no resource to name for these: they are granted on all subscriptions of an account, or on none. */
const ON_SUBSCRIPTIONS = [
  'sns:GetSubscriptionAttributes',
  'sns:SetSubscriptionAttributes',
  'sns:Unsubscribe',
];

/** What IAM calls the right to an action: that to a batch is the right to what is in it. */
export function rightTo(service: Service, action: string): string {
  return `${service}:${action.replace(/Batch$/, '')}`;
}

/** The rights that the gateway needs from the engine of a service, each once, by name. */
export function neededRights(service: Service): string[] {
  const sent = Object.entries(actions[service])
    .filter(([name, { requires }]) => requires !== 'refused' && !ANSWERED_HERE[service].includes(name))
    .map(([name]) => rightTo(service, name));
  return [...new Set(sent)].sort();
}

/** The IAM policy of the key `ENGINE_KEY_<REGION>` of a region of ours. */
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
