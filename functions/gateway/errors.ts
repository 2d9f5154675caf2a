/**
 * Defines the gateway's errors in one table, and writes them in the client's protocol: JSON for SQS, XML for the Query
 * protocol. Errors of the engine keep their code.
 */
import type { Service } from './actions.ts';
import { escapeXml, tag } from './xml.ts';

/** The protocol of a response. */
export interface Protocol {
  service: Service;
  format: 'json' | 'query';
}

/** A service's error code in the Query protocol, and the HTTP status in both protocols. */
type Name = readonly [code: string, status: number];

interface Fault {
  /** The `__type` in SQS's JSON protocol. */
  type: string;
  sqs: Name;
  sns: Name;
  message: string;
}

const CORAL = 'com.amazon.coral.service#';
const SQS = 'com.amazonaws.sqs#';

const both = (type: string, code: string, status: number, message: string): Fault => ({
  type,
  sqs: [code, status],
  sns: [code, status],
  message,
});

/** Every fault that the gateway detects itself. */
export const faults = {
  unsigned: {
    type: `${CORAL}AccessDeniedException`,
    sqs: ['AccessDenied', 403],
    sns: ['MissingAuthenticationToken', 403],
    message: 'The request is not signed. Sign it with an access key and a secret key.',
  },
  unknown_key: both(
    `${CORAL}UnrecognizedClientException`,
    'InvalidClientTokenId',
    403,
    'The access key does not exist here. It was revoked, or belongs to another region or product.',
  ),
  bad_signature: both(
    `${CORAL}InvalidSignatureException`,
    'SignatureDoesNotMatch',
    403,
    'The signature does not match. Check the secret key and how the request is signed.',
  ),
  skewed: both(
    `${CORAL}InvalidSignatureException`,
    'SignatureDoesNotMatch',
    403,
    'Signature expired or not yet current. The client clock is more than 15 minutes off.',
  ),
  expired: both(`${CORAL}InvalidSignatureException`, 'RequestExpired', 403, 'The presigned URL has expired.'),
  incomplete_signature: both(
    `${CORAL}IncompleteSignatureException`,
    'IncompleteSignature',
    400,
    'The signature is incomplete or malformed.',
  ),
  wrong_scope: both(
    `${CORAL}InvalidSignatureException`,
    'SignatureDoesNotMatch',
    403,
    'The scope of the signature names a region or service that does not exist here.',
  ),
  denied: {
    type: `${CORAL}AccessDeniedException`,
    sqs: ['AccessDenied', 403],
    sns: ['AuthorizationError', 403],
    message: 'These credentials do not permit this action.',
  },
  unknown_action: both(
    `${CORAL}UnknownOperationException`,
    'InvalidAction',
    400,
    'The service does not have this action.',
  ),
  malformed: {
    type: `${CORAL}SerializationException`,
    sqs: ['MalformedInput', 400],
    sns: ['InvalidParameter', 400],
    message: 'The request could not be parsed.',
  },
  missing_parameter: {
    type: `${CORAL}MissingRequiredParameterException`,
    sqs: ['MissingParameter', 400],
    sns: ['InvalidParameter', 400],
    message: 'A required parameter is missing.',
  },
  empty_batch: {
    type: `${SQS}EmptyBatchRequest`,
    sqs: ['AWS.SimpleQueueService.EmptyBatchRequest', 400],
    sns: ['EmptyBatchRequest', 400],
    message: 'The batch request contains no entries.',
  },
  bad_parameter: {
    type: `${CORAL}InvalidParameterValueException`,
    sqs: ['InvalidParameterValue', 400],
    sns: ['InvalidParameter', 400],
    message: 'The value of a parameter is invalid.',
  },
  unsupported: {
    type: `${SQS}UnsupportedOperation`,
    sqs: ['AWS.SimpleQueueService.UnsupportedOperation', 400],
    sns: ['InvalidParameter', 400],
    message: 'A parameter is not supported.',
  },
  bad_attribute: {
    type: `${SQS}InvalidAttributeName`,
    sqs: ['InvalidAttributeName', 400],
    sns: ['InvalidParameter', 400],
    message: 'The attribute cannot be set here.',
  },
  bad_attribute_value: {
    type: `${SQS}InvalidAttributeValue`,
    sqs: ['InvalidAttributeValue', 400],
    sns: ['InvalidParameter', 400],
    message: 'The value of an attribute is invalid.',
  },
  not_found: {
    type: `${SQS}QueueDoesNotExist`,
    sqs: ['AWS.SimpleQueueService.NonExistentQueue', 400],
    sns: ['NotFound', 404],
    message: 'The specified queue does not exist.',
  },
  too_large: both(
    `${CORAL}RequestEntityTooLargeException`,
    'RequestEntityTooLarge',
    413,
    'The request is too large.',
  ),
  throttled: {
    type: `${SQS}RequestThrottled`,
    // Not 400: botocore's default retry mode would not retry it.
    sqs: ['RequestThrottled', 403],
    sns: ['Throttled', 429],
    message: 'Too many requests. Try again later.',
  },
  internal: both(
    `${CORAL}InternalFailure`,
    'InternalFailure',
    500,
    'An internal error occurred. Report the request ID to the operator.',
  ),
  unavailable: both(
    `${CORAL}ServiceUnavailable`,
    'ServiceUnavailable',
    503,
    'The service is temporarily unavailable. Try again later.',
  ),
} as const satisfies Record<string, Fault>;

export type FaultCode = keyof typeof faults;

/** An error that is returned to the client. `message` replaces the default message of the table. */
export class GatewayError extends Error {
  readonly fault: FaultCode;
  /** Value of `Retry-After` in seconds, if known. */
  readonly retryAfter: number | undefined;

  constructor(fault: FaultCode, message: string = faults[fault].message, retryAfter?: number) {
    super(message);
    this.fault = fault;
    this.retryAfter = retryAfter;
  }
}

/** The error for a client that is throttled until `until` (milliseconds since the epoch). */
export function throttledUntil(until: number): GatewayError {
  return new GatewayError('throttled', undefined, Math.max(1, Math.ceil((until - Date.now()) / 1000)));
}

/**
 * The error for a resource that does not exist or belongs to another project, with the message of SQS or SNS. Both
 * cases look the same, so that clients cannot probe for other projects' names.
 */
export function notFound(what: 'queue' | 'topic' | 'subscription'): GatewayError {
  const messages = {
    queue: faults.not_found.message,
    topic: 'Topic does not exist',
    subscription: 'Subscription does not exist',
  };
  return new GatewayError('not_found', messages[what]);
}

/** An error that the engine reported about the request, with the engine's code. */
export class EngineRefusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

// Errors whose name in SQS's JSON protocol differs from their Query code, and that are missing from the service's
// model. Engines use either name in JSON.
const JSON_NAMES: Record<string, string> = {
  InvalidParameterValue: 'InvalidParameterValueException',
  MissingParameter: 'MissingRequiredParameterException',
};

// Errors of SQS whose Query code differs from their name (`awsQueryError` in the service's model).
const QUERY_CODES: Record<string, string> = {
  ...Object.fromEntries(Object.entries(JSON_NAMES).map(([query, json]) => [json, query])),
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
  ...Object.fromEntries(
    [
      'BatchEntryIdsNotDistinct',
      'BatchRequestTooLong',
      'EmptyBatchRequest',
      'InvalidBatchEntryId',
      'MessageNotInflight',
      'PurgeQueueInProgress',
      'QueueDeletedRecently',
      'TooManyEntriesInBatchRequest',
      'UnsupportedOperation',
    ].map((name) => [name, `AWS.SimpleQueueService.${name}`]),
  ),
};

/** XML namespaces of responses. */
export const NAMESPACES: Record<Service, string> = {
  sqs: 'http://queue.amazonaws.com/doc/2012-11-05/',
  sns: 'http://sns.amazonaws.com/doc/2010-03-31/',
};

/**
 * Allows pages of any origin to send requests and read responses. This is safe because only the signature authorizes a
 * request, never a cookie: a page can do no more than the credentials it holds.
 */
const ANY_ORIGIN = { 'Access-Control-Allow-Origin': '*' };

/** Returns the response to a CORS preflight request. It is the same for signed and unsigned requests. */
export function preflightResponse(request: Request): Response {
  const headers = {
    ...ANY_ORIGIN,
    'Access-Control-Allow-Methods': 'GET, POST',
    // `*` does not include Authorization. The requested names are echoed because SDKs add headers with new versions.
    'Access-Control-Allow-Headers': request.headers.get('Access-Control-Request-Headers') ?? 'Authorization',
    'Access-Control-Max-Age': '7200',
    Allow: 'GET, POST, OPTIONS',
    Vary: 'Access-Control-Request-Headers',
  };
  return new Response(null, { status: 204, headers });
}

/** Returns the headers of every response. SDKs correct a wrong clock by `Date`. */
export function responseHeaders({ format }: Protocol, requestId: string): Record<string, string> {
  return {
    ...ANY_ORIGIN,
    'Access-Control-Expose-Headers': 'Date, Retry-After, x-amzn-query-error, x-amzn-RequestId',
    'Content-Type': format === 'json' ? 'application/x-amz-json-1.0' : 'text/xml',
    'x-amzn-RequestId': requestId,
    Date: new Date().toUTCString(),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  };
}

/** Returns the response for a failed request. */
export function errorResponse(
  protocol: Protocol,
  requestId: string,
  error: GatewayError | EngineRefusal,
): Response {
  const { type, code, status } =
    error instanceof GatewayError ? faultCode(protocol, error) : refusalCode(protocol, error);
  const sender = status < 500 ? 'Sender' : 'Receiver';
  const headers = responseHeaders(protocol, requestId);
  if (error instanceof GatewayError && error.retryAfter !== undefined)
    headers['Retry-After'] = String(error.retryAfter);
  if (protocol.format === 'json') {
    const body = JSON.stringify({ __type: type, message: error.message });
    return new Response(body, { status, headers: { ...headers, 'x-amzn-query-error': `${code};${sender}` } });
  }
  const fields =
    tag('Type', sender) + tag('Code', escapeXml(code)) + tag('Message', escapeXml(error.message));
  const inside = tag('Error', fields) + tag('RequestId', requestId);
  const body = `<?xml version="1.0"?><ErrorResponse xmlns="${NAMESPACES[protocol.service]}">${inside}</ErrorResponse>`;
  return new Response(body, { status, headers });
}

function faultCode({ service }: Protocol, { fault }: GatewayError) {
  const { type, [service]: name } = faults[fault];
  const [code, status] = name;
  return { type, code, status };
}

function refusalCode({ service }: Protocol, { code, status }: EngineRefusal) {
  // Requests to SNS engines already use the Query protocol.
  if (service === 'sns') return { type: code, code, status };
  const name = JSON_NAMES[code] ?? code;
  const type = (name.endsWith('Exception') ? CORAL : SQS) + name;
  return { type, code: QUERY_CODES[code] ?? code, status };
}
