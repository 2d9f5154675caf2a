/**
 * Corrects differences between fauxqs and SQS or SNS from outside: requests are checked and changed before fauxqs
 * gets them, and batch entries that it would wrongly accept are rejected. The compatibility page lists the remaining
 * differences.
 */

/** The parts of fauxqs that are patched. */
export interface Parts {
  sqsStore: { getQueueByArn(arn: string): object | undefined };
  snsStore: SnsStore;
  /** Which message bodies it rejects, and which entry IDs it accepts. */
  texts: { INVALID_MESSAGE_BODY_CHAR: RegExp; VALID_BATCH_ENTRY_ID: RegExp };
}

interface Subscription {
  protocol: string;
  endpoint: string;
  attributes: Record<string, string>;
}

interface SnsStore {
  getTopic(arn: string): { subscriptionArns: string[] } | undefined;
  getSubscription(arn: string): Subscription | undefined;
  subscribe(topic: string, protocol: string, endpoint: string, attributes?: Record<string, string>): unknown;
}

/** A rejected request: a code and a message of SQS or SNS, with status 400. */
export interface Refusal {
  code: string;
  message: string;
}

/** A request to fauxqs: its headers and its body. */
export interface Request {
  headers: Record<string, string | string[] | undefined>;
  body: unknown;
}

type Fields = Record<string, unknown>;

/** A receipt handle of fauxqs. It would treat any other handle as one of a deleted message. */
const HANDLE = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

const isDelay = (delay: unknown) => delay === undefined || (Number(delay) >= 0 && Number(delay) <= 900);

/** Returns why an entry of a batch, or a single request, is rejected. */
const CHECKS: Record<string, (fields: Fields) => Refusal | undefined> = {
  SendMessage: ({ DelaySeconds }) =>
    isDelay(DelaySeconds)
      ? undefined
      : {
          code: 'InvalidParameterValue',
          message: `Value ${DelaySeconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.`,
        },
  DeleteMessage: checkHandle,
  ChangeMessageVisibility: checkHandle,
};

function checkHandle({ ReceiptHandle }: Fields): Refusal | undefined {
  if (HANDLE.test(String(ReceiptHandle))) return undefined;
  return {
    code: 'ReceiptHandleIsInvalid',
    message: `The input receipt handle "${ReceiptHandle}" is not a valid receipt handle.`,
  };
}

/** Patches fauxqs itself. */
export function mend({ snsStore, texts }: Parts): void {
  // fauxqs rejects characters beyond U+FFFF, such as emoji.
  texts.INVALID_MESSAGE_BODY_CHAR.test = (text) =>
    /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(text);
  texts.VALID_BATCH_ENTRY_ID.test = (id) => /^[\w-]{1,80}$/.test(id);
  // fauxqs rejects a repeated subscription that has fewer attributes than the first one.
  const subscribe = snsStore.subscribe.bind(snsStore);
  snsStore.subscribe = (topic, protocol, endpoint, attributes = {}) => {
    const existing = (snsStore.getTopic(topic)?.subscriptionArns ?? [])
      .map((arn) => snsStore.getSubscription(arn))
      .find((one) => one?.protocol === protocol && one.endpoint === endpoint);
    const same = (name: string) => sameValue(attributes[name], existing?.attributes[name] ?? DEFAULTS[name]);
    return existing && Object.keys(attributes).every(same)
      ? existing
      : subscribe(topic, protocol, endpoint, Object.keys(attributes).length > 0 ? attributes : undefined);
  };
}

const DEFAULTS: Record<string, string> = {
  RawMessageDelivery: 'false',
  FilterPolicyScope: 'MessageAttributes',
};

const sameValue = (a = '', b = '') => a.toLowerCase() === b.toLowerCase();

/**
 * Checks a request, and changes its body where fauxqs would behave differently from SNS. Returns the reason to reject
 * the whole request, and the rejected entries of its batch, which are removed from the body.
 */
export function checkRequest(
  { headers, body }: Request,
  { sqsStore }: Pick<Parts, 'sqsStore'>,
): { refusal?: Refusal | undefined; failed?: Fields[] } {
  const [, action] = /^AmazonSQS\.(\w+)$/.exec(String(headers['x-amz-target'])) ?? [];
  const fields = body as Fields;
  if (action === undefined) return { refusal: checkSns(fields) };
  const check = CHECKS[action.replace(/Batch$/, '')];
  if (check && action.endsWith('Batch')) return { failed: removeFailed(fields, check) };
  return { refusal: check?.(fields) ?? checkDeadLetterQueue(fields, sqsStore) };
}

function removeFailed(fields: Fields, check: (entry: Fields) => Refusal | undefined): Fields[] {
  const failed: Fields[] = [];
  const entries = (fields.Entries ?? []) as Fields[];
  fields.Entries = entries.filter((entry) => {
    const refusal = check(entry);
    if (refusal)
      failed.push({ Id: entry.Id, SenderFault: true, Code: refusal.code, Message: refusal.message });
    return !refusal;
  });
  return failed;
}

/** Rejects a redrive policy whose dead-letter queue does not exist. */
function checkDeadLetterQueue({ Attributes }: Fields, sqsStore: Parts['sqsStore']): Refusal | undefined {
  const policy = (Attributes as Record<string, string> | undefined)?.RedrivePolicy;
  const arn = policy ? (parse(policy) as Fields | undefined)?.deadLetterTargetArn : undefined;
  if (arn === undefined || sqsStore.getQueueByArn(String(arn))) return undefined;
  const message = `Value ${policy} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.`;
  return { code: 'InvalidParameterValue', message };
}

function checkSns(fields: Fields): Refusal | undefined {
  for (const [name, value] of Object.entries(fields)) {
    // Each attribute has its name and its value in two parameters.
    const [, start] = /^(.*\.)key$|^Attribute(?=Name$)/.exec(name) ?? [];
    const policy = fields[start === undefined ? 'AttributeValue' : `${start}value`];
    const isPolicy = /(^AttributeName|\.key)$/.test(name) && value === 'FilterPolicy';
    if (isPolicy && policy && !isObject(parse(String(policy))))
      return { code: 'InvalidParameter', message: 'Invalid parameter: FilterPolicy: failed to parse JSON.' };
    if (/(^|\.)MessageStructure$/.test(name) && value === 'json') {
      const refusal = chooseMessage(fields, name);
      if (refusal) return refusal;
    }
  }
  return undefined;
}

/** Replaces a message with one text per protocol by the text for queues, the only protocol that it delivers to. */
function chooseMessage(fields: Fields, structure: string): Refusal | undefined {
  const at = structure.replace(/MessageStructure$/, 'Message');
  const messages = parse(String(fields[at]));
  const start = 'Invalid parameter: Message Structure - ';
  if (!isObject(messages))
    return { code: 'InvalidParameter', message: `${start}JSON message body failed to parse` };
  if (typeof messages.default !== 'string')
    return { code: 'InvalidParameter', message: `${start}No default entry in JSON message body` };
  fields[at] = typeof messages.sqs === 'string' ? messages.sqs : messages.default;
  delete fields[structure];
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
