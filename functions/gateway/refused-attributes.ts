/**
 * Lists attributes of SQS and SNS that cannot be set here, with the reason for each. Error messages and the
 * compatibility page read this table. Other unknown attributes are refused without a reason.
 */

const KEYS = 'the engine’s operator controls the encryption keys';
const ROLES = 'roles would belong to the engine’s account';
const ARCHIVES = 'topics do not store messages';

/** Resource type → attribute name → why it cannot be set, as the end of a sentence. */
export const refusedAttributes: Readonly<
  Record<'queue' | 'topic' | 'subscription', Readonly<Record<string, string>>>
> = {
  queue: {
    KmsMasterKeyId: KEYS,
    KmsDataKeyReusePeriodSeconds: KEYS,
    RedriveAllowPolicy: 'any queue of a project can be the dead-letter queue of any other',
  },
  topic: {
    Policy: 'credentials control access',
    KmsMasterKeyId: KEYS,
    TracingConfig: 'traces would go to the engine’s account',
    ArchivePolicy: ARCHIVES,
    ...Object.fromEntries(
      ['Application', 'Firehose', 'HTTP', 'Lambda', 'SQS'].flatMap((protocol) =>
        ['SuccessFeedbackRoleArn', 'SuccessFeedbackSampleRate', 'FailureFeedbackRoleArn'].map((name) => [
          protocol + name,
          ROLES,
        ]),
      ),
    ),
  },
  subscription: { SubscriptionRoleArn: ROLES, ReplayPolicy: ARCHIVES },
};

/** Returns why an attribute cannot be set, or undefined if it is not listed. */
export function refusalReason(name: string): string | undefined {
  for (const attributes of Object.values(refusedAttributes))
    if (Object.hasOwn(attributes, name)) return attributes[name];
  return undefined;
}
