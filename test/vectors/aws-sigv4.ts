/**
 * Reads the cases of the AWS signing test suite in aws-sigv4/ (SOURCE.md there names the source), each with a signature in
 * the header and presigned.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** A request of the suite, with the values that a verifier must derive from it. */
export interface Vector {
  name: string;
  form: 'header' | 'query';
  method: string;
  path: string;
  query: string;
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer>;
  canonicalRequest: string;
  stringToSign: string;
  signature: string;
  secretKey: string;
  /** The time of the signature, in milliseconds since the epoch. */
  signedAt: number;
}

interface Context {
  credentials: { secret_access_key: string };
  timestamp: string;
}

const suite = new URL('aws-sigv4/', import.meta.url);

/** Returns every case in both forms. */
export function awsVectors(): Vector[] {
  const names = readdirSync(suite, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names.flatMap(({ name }) => [read(name, 'header'), read(name, 'query')]);
}

function read(name: string, form: Vector['form']): Vector {
  const file = (kind: string) => readFileSync(new URL(`${name}/${kind}`, suite), 'utf8');
  const context = JSON.parse(file('context.json')) as Context;
  return {
    name,
    form,
    ...parseRequest(file(`${form}-signed-request.txt`)),
    canonicalRequest: file(`${form}-canonical-request.txt`),
    stringToSign: file(`${form}-string-to-sign.txt`),
    signature: file(`${form}-signature.txt`),
    secretKey: context.credentials.secret_access_key,
    signedAt: Date.parse(context.timestamp),
  };
}

function parseRequest(text: string): Pick<Vector, 'method' | 'path' | 'query' | 'headers' | 'body'> {
  const end = text.indexOf('\n\n');
  // A line that begins with a space continues the one before: HTTP reads the break as a space (RFC 9112, section 5.2).
  const [start = '', ...lines] = text.slice(0, end).replaceAll(/\n +/g, ' ').split('\n');
  const [, method = '', path = '', query = ''] = /^(\S+) ([^?]*)\??(.*) HTTP\/1\.1$/.exec(start) ?? [];
  return {
    method,
    path,
    query,
    headers: lines.map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
    body: new TextEncoder().encode(text.slice(end + 2)),
  };
}
