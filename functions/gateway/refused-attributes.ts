/**
 * Lists attributes of SQS and SNS that cannot be set here, with the reason for each. Error messages and the
 * compatibility page read this table. Other unknown attributes are refused without a reason.
 */

const KEYS = 'encryption keys are those of the engine’s operator';
const ROLES = 'roles are of the engine’s account';
const ARCHIVES = 'topics keep no messages';

/** Resource type → attribute name → why it cannot be set, as the end of a sentence. */
export const refusedAttributes: Readonly<
  Record<'queue' | 'topic' | 'subscription', Readonly<Record<string, string>>>
> = {
  queue: {
    KmsMasterKeyId: KEYS,
    KmsDataKeyReusePeriodSeconds: KEYS,
    RedriveAllowPolicy: 'every queue of a project may send its dead letters to any other',
  },
  topic: {
    Policy: 'rights are those of credentials',
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
