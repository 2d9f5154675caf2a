/** Data of the error reference: the Worker's tables of errors, with explanations. An error without one stops the build. */

import { type FaultCode, faults } from '../../../functions/gateway/errors.ts';
import { type ErrorCode, errors } from '../../../functions/shared/errors.ts';

/** An error of the API. Backticks in `text` are code. */
export interface ErrorRow {
  code: ErrorCode;
  status: number;
  /** The members of its body other than `type` and `message`. */
  fields: string[];
  text: string;
}

/** An error of the gateway, as each protocol returns it. */
export interface FaultRow {
  fault: FaultCode;
  /** The name in SQS's JSON protocol, without its namespace. */
  type: string;
  sqs: { code: string; status: number };
  sns: { code: string; status: number };
  text: string;
}

/** Returns the errors of the API, in the order of the Worker's table. */
export function errorRows(texts: Record<ErrorCode, string>): ErrorRow[] {
  return Object.entries(errors).map(([name, { status, fields }]) => {
    const code = name as ErrorCode;
    return { code, status, fields: Object.keys(fields.shape), text: described(texts, code) };
  });
}

/** Returns the errors of the gateway, in the order of the Worker's table. */
export function faultRows(texts: Record<FaultCode, string>): FaultRow[] {
  return Object.entries(faults).map(([name, { type, sqs, sns }]) => ({
    fault: name as FaultCode,
    type: type.slice(type.indexOf('#') + 1),
    sqs: { code: sqs[0], status: sqs[1] },
    sns: { code: sns[0], status: sns[1] },
    text: described(texts, name as FaultCode),
  }));
}

function described<Name extends string>(texts: Record<Name, string>, name: Name): string {
  if (!texts[name]) throw new Error(`The Errors page does not describe ${name}`);
  return texts[name];
}
