/**
 * Defines all API errors in one table: code, status, message and fields. Responses, the OpenAPI document and the
 * site's error page read it. Bodies have the format of Scaleway's API (`{type, message, …}`).
 */
import * as z from 'zod';

const nothing = z.object({});

/** Why an argument is invalid. */
const argumentProblem = z.object({
  argument_name: z.string(),
  reason: z.enum(['required', 'format', 'constraint', 'unknown']),
  help_message: z.string(),
});

export type ArgumentProblem = z.infer<typeof argumentProblem>;

const quotaProblem = z.object({ resource: z.string(), quota: z.number(), current: z.number() });

/** Code → status, message and additional fields of the body. */
export const errors = {
  invalid_arguments: {
    status: 400,
    message: 'invalid argument(s)',
    fields: z.object({ details: z.array(argumentProblem) }),
  },
  denied_authentication: {
    status: 401,
    message: 'denied authentication',
    fields: z.object({
      method: z.enum(['api_key', 'session', 'password']),
      reason: z.enum(['invalid_argument', 'not_found', 'expired']),
    }),
  },
  permissions_denied: {
    status: 403,
    message: 'insufficient permissions',
    fields: z.object({ details: z.array(z.object({ resource: z.string(), action: z.string() })) }),
  },
  quotas_exceeded: {
    status: 403,
    message: 'quota(s) exceeded',
    fields: z.object({
      details: z.array(
        z.union([
          quotaProblem.extend({ project_id: z.string() }),
          quotaProblem.extend({ organization_id: z.string() }),
        ]),
      ),
    }),
  },
  not_found: {
    status: 404,
    message: 'resource is not found',
    fields: z.object({ resource: z.string(), resource_id: z.string() }),
  },
  method_not_allowed: { status: 405, message: 'method is not allowed', fields: nothing },
  already_exists: {
    status: 409,
    message: 'resource already exists',
    fields: z.object({ resource: z.string(), resource_id: z.string(), help_message: z.string() }),
  },
  precondition_failed: {
    status: 412,
    message: 'precondition is not respected',
    /** Official clients know only these three, and retry "resource_not_usable" for up to 20 minutes. */
    fields: z.object({
      precondition: z.enum(['resource_still_in_use', 'attribute_must_be_set', 'unknown_precondition']),
      help_message: z.string(),
    }),
  },
  payload_too_large: { status: 413, message: 'request body is too large', fields: nothing },
  unsupported_media_type: { status: 415, message: 'content type must be application/json', fields: nothing },
  too_many_requests: { status: 429, message: 'too many requests', fields: nothing },
  internal_error: { status: 500, message: 'internal error', fields: nothing },
  unavailable: {
    status: 503,
    message: 'temporarily unavailable',
    /** What failed: a region's name, or `identity`. */
    fields: z.object({ resource: z.string().optional() }),
  },
} as const;

export type ErrorCode = keyof typeof errors;

/** The fields of an error body in addition to `type` and `message`. */
export type ErrorFields<Code extends ErrorCode> = z.infer<(typeof errors)[Code]['fields']>;

/** Returns the schema of an error body. */
export function errorBody(code: ErrorCode) {
  return z
    .object({ type: z.literal(code), message: z.string(), ...errors[code].fields.shape })
    .meta({ id: `Error_${code}` });
}

/** An error that is returned to the client as is. Only routes and middleware throw it. */
export class ApiError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly fields: ErrorFields<Code>;
  readonly headers: Record<string, string>;

  constructor(code: Code, fields: ErrorFields<Code>, headers: Record<string, string> = {}) {
    super(errors[code].message);
    this.code = code;
    this.fields = fields;
    this.headers = headers;
  }

  toResponse(): Response {
    const { status, message } = errors[this.code];
    return Response.json({ type: this.code, message, ...this.fields }, { status, headers: this.headers });
  }
}

/** Returns the error for one invalid argument. */
export function invalidArgument(
  name: string,
  reason: ArgumentProblem['reason'],
  help: string,
): ApiError<'invalid_arguments'> {
  return new ApiError('invalid_arguments', {
    details: [{ argument_name: name, reason, help_message: help }],
  });
}

/**
 * Returns name and message of the innermost cause, for the log. Outer errors can contain a query's parameters, which
 * can be secret.
 */
export function innermostCause(error: unknown): { name: string; message?: string } {
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  return cause instanceof Error ? { name: cause.name, message: cause.message } : { name: 'unknown' };
}

/** Converts zod's issues to the API's format. Messages never contain the submitted value. */
export function problemsOf(error: z.core.$ZodError): ArgumentProblem[] {
  return error.issues.map((issue) => ({
    argument_name: issue.path.join('.') || 'body',
    reason: reasonOf(issue),
    help_message: helpOf(issue),
  }));
}

/** Prefix of a schema's error message that replaces the default message for a missing argument. */
export const REQUIRED_PREFIX = 'is required: ';

function isMissing({ code, message }: z.core.$ZodIssue): boolean {
  return (
    code === 'invalid_type' && (message.endsWith('received undefined') || message.startsWith(REQUIRED_PREFIX))
  );
}

function helpOf(issue: z.core.$ZodIssue): string {
  if (!isMissing(issue)) return issue.message;
  return issue.message.startsWith(REQUIRED_PREFIX)
    ? issue.message.slice(REQUIRED_PREFIX.length)
    : 'is required';
}

function reasonOf(issue: z.core.$ZodIssue): ArgumentProblem['reason'] {
  switch (issue.code) {
    case 'invalid_type':
      return isMissing(issue) ? 'required' : 'format';
    case 'invalid_format':
      return 'format';
    case 'unrecognized_keys':
      return 'unknown';
    default:
      return 'constraint';
  }
}
