/**
 * The attributes that SQS and SNS have and that cannot be set here, each with the reason. The refusal of an attribute says
 * it, and so does the page about compatibility. An attribute that is in no table of this gateway is refused without one.
 */

const KEYS = 'encryption keys are those of the engine’s operator';
const ROLES = 'roles are of the engine’s account';
const ARCHIVES = 'topics keep no messages';

/** What has the attribute → its name → why it cannot be set, as the end of a sentence. */
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

/** Why an attribute cannot be set, or undefined when nothing has it. */
export function refusalReason(name: string): string | undefined {
  for (const attributes of Object.values(refusedAttributes))
    if (Object.hasOwn(attributes, name)) return attributes[name];
  return undefined;
}
