/**
 * Names and other text: every operation rejects bidirectional control characters, which could disguise the
 * surrounding text.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Owner } from '../../functions/iam/bootstrap.ts';
import { call, newOwner, postAuth } from './harness.ts';
import { newPassword } from './people.ts';

interface Schema {
  type?: string;
  enum?: string[];
  format?: string;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  $ref?: string;
}
interface Field {
  method: string;
  path: string;
  name: string;
  body: Record<string, unknown>;
  many: boolean;
}

/** The characters with the Unicode property Bidi_Control. */
const CONTROLS = [
  ...['\u061c', '\u200e', '\u200f', '\u202a', '\u202b', '\u202c', '\u202d', '\u202e'],
  ...['\u2066', '\u2067', '\u2068', '\u2069'],
];

/** Well-formed path parameters of resources that do not exist; all others are UUIDs. */
const PARAMETERS: Record<string, string> = {
  region: 'fr-par',
  nats_account_id: 'A'.repeat(56),
  access_key: `SCW${'A'.repeat(17)}`,
};
const NOBODY = crypto.randomUUID();

/** Stored as entered, with several lines; the page that lists the text isolates each entry. */
const UNRESTRICTED = ['POST /feedback remark'];

/** What the error says about fields that allow only a few characters. */
const STATED: Record<string, string> = {
  email: 'Invalid email address',
  resources: 'must be a name',
  source_ips: 'must be a CIDR block',
};

let owner: Owner;
let fields: Field[];

beforeAll(async () => {
  owner = await newOwner();
  const { paths, components } = (await call('GET', '/openapi.json')).body as unknown as {
    paths: Record<string, Record<string, { requestBody?: { content: Record<string, never> } }>>;
    components: { schemas: Record<string, Schema> };
  };
  const accepts = (schema: Schema, value: unknown) => {
    const text = JSON.stringify({ ...schema, $defs: components.schemas });
    return z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/'))).safeParse(value)
      .success;
  };
  fields = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody }]) => {
      const content = requestBody?.content['application/json'] as
        | { schema: Schema; example: Record<string, unknown> }
        | undefined;
      return Object.entries(content?.schema.properties ?? {}).flatMap(([name, schema]): Field[] => {
        const many = accepts(schema, ['Some words']);
        if ((!many && !accepts(schema, 'Some words')) || accepts(schema, 5)) return [];
        const field = { method: method.toUpperCase(), path, name, body: content?.example ?? {}, many };
        return UNRESTRICTED.includes(`${field.method} ${path} ${name}`) ? [] : [field];
      });
    }),
  );
});

const send = ({ method, path, name, body, many }: Field, text: string) =>
  call(
    method,
    path.replaceAll(/\{([a-z_]+)\}/g, (_, parameter) => PARAMETERS[parameter] ?? NOBODY),
    {
      token: owner.secret_key,
      body: { ...body, [name]: many ? [text] : text },
    },
  );

describe('text with a bidirectional control character', () => {
  it('is rejected by every operation, with the argument and the reason', async () => {
    const named = fields.map(({ method, path, name }) => `${method} ${path.split('/').at(-1)} ${name}`);
    expect(named).toEqual(
      expect.arrayContaining([
        'POST nats-accounts name',
        'POST nats-credentials name',
        'PATCH {credentials_id} name',
        'POST projects description',
        'POST applications tags',
        'POST policies name',
        'POST api-keys description',
      ]),
    );
    expect(fields.length).toBeGreaterThan(20);
    for (const field of fields) {
      const { status, body } = await send(field, 'orders \u202Esredro');
      const where = `${field.method} ${field.path} ${field.name}`;
      expect([where, status, body.type]).toEqual([where, 400, 'invalid_arguments']);
      const details = body.details as unknown as { argument_name: string; help_message: string }[];
      const detail = details.find(({ argument_name: argument }) => argument.startsWith(field.name));
      const stated = STATED[field.name] ?? 'text direction controls';
      expect(detail?.help_message, where).toContain(stated);
    }
  });

  it('is rejected as the name of a person who accepts an invitation', async () => {
    const body = { token: 'a'.repeat(43), name: 'New \u202Eweb', password: newPassword() };
    const { status, body: rejection } = await postAuth('/accept-invitation', body);
    expect([status, rejection.details]).toEqual([
      400,
      [
        expect.objectContaining({
          argument_name: 'name',
          help_message: expect.stringContaining('direction'),
        }),
      ],
    ]);
  });

  it('is rejected for each such character, while names in every script are accepted', async () => {
    const field = { method: 'POST', path: '/account/v3/projects', name: 'name', many: false };
    const body = { organization_id: owner.organization_id };
    const create = (text: string) => send({ ...field, body }, text);
    for (const control of CONTROLS) {
      const { status } = await create(`a${control}b`);
      expect([control.codePointAt(0)?.toString(16), status]).toEqual([
        control.codePointAt(0)?.toString(16),
        400,
      ]);
    }
    for (const name of ['طلبات', 'הזמנות', '日本語 🔑', '👩‍💻', 'नमस्ते', 'می‌خواهم']) {
      expect([name, (await create(name)).body.name]).toEqual([name, name]);
    }
  });
});
