/**
 * Data of the settings reference: names, defaults and ranges from the schemas that parse the configuration. A setting
 * without a description stops the build.
 */
import * as z from 'zod';
import {
  auditSettings,
  guardSettings,
  guestSettings,
  mailSettings,
  natsSettings,
  quotaSettings,
  secrets,
  siteSettings,
} from '../../../functions/shared/env.ts';
import { regionSettings } from '../../../functions/shared/regions.ts';

/** A row of the table. Backticks in `text` are code. */
export interface SettingRow {
  name: string;
  /** The default: "2,000 by default", "none by default", "needed", "needed with engine". */
  unset: string;
  /** The range: "100 to 10,000". Empty if a range does not describe it. */
  range: string;
  text: string;
}

/** The parts of JSON Schema that settings use. */
interface Schema {
  default?: unknown;
  minimum?: number;
  maximum?: number;
  const?: unknown;
  enum?: string[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
}

/** Descriptions by setting. */
type Texts = Record<string, string>;

/** Members of an entry of the `REGIONS` var. */
export const regionRows = (texts: Texts) => rows(regionSettings, texts);

/** Members of the `NATS` var. */
export const natsRows = (texts: Texts) => rows(natsSettings, texts);

/** Members of the `MAIL` var. */
export const mailRows = (texts: Texts) => rows(mailSettings, texts);

/** Members of the `SITE` var. */
export const siteRows = (texts: Texts) => rows(siteSettings, texts);

/** Members of the `GUESTS` var. */
export const guestRows = (texts: Texts) => rows(guestSettings, texts);

/** Members of the `QUOTAS` var. */
export const quotaRows = (texts: Texts) => rows(quotaSettings, texts);

/** Members of the `GUARD` var. */
export const guardRows = (texts: Texts) => rows(guardSettings, texts);

/** Members of the `AUDIT` var. */
export const auditRows = (texts: Texts) => rows(auditSettings, texts);

/** The Worker's secrets. Optional ones are not in a schema. */
export const secretRows = (texts: Texts) => {
  const ofRegions = { 'SYSTEM_SEED_<REGION>': z.string(), 'ENGINE_KEY_<REGION>': z.string() };
  const ofMail = { MAIL_TOKEN: z.string() };
  return rows(z.object({ ...secrets.shape, ...ofRegions, ...ofMail }), texts);
};

function rows(schema: z.ZodObject, texts: Texts): SettingRow[] {
  const found = flatten(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema);
  return found.map((row) => {
    const text = texts[row.name];
    if (!text) throw new Error(`The Settings page does not describe ${row.name}`);
    return { ...row, text };
  });
}

/** Returns the settings of a schema. Members of objects have their path as name: `account_limits.streams`. */
function flatten({ properties = {}, required = [] }: Schema, within = ''): Omit<SettingRow, 'text'>[] {
  return Object.entries(properties).flatMap(([member, schema]) => {
    if (schema.properties) return flatten(schema, member);
    const needed = within ? `required with ${within}` : 'required';
    return {
      name: within ? `${within}.${member}` : member,
      unset: required.includes(member) ? needed : `${written(schema.default)} by default`,
      range: rangeOf(schema),
    };
  });
}

function written(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'none';
  return typeof value === 'number' ? number(value) : String(value);
}

function rangeOf({ anyOf, minimum, maximum, const: only, enum: choices }: Schema): string {
  if (anyOf) return anyOf.map(rangeOf).join(', or ');
  if (only !== undefined) return written(only);
  if (choices) return choices.join(', ');
  if (minimum === undefined) return '';
  // zod writes the largest safe integer where a schema has no limit.
  const open = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER;
  return open ? `${number(minimum)} or more` : `${number(minimum)} to ${number(maximum)}`;
}

const number = (value: number) => value.toLocaleString('en').replace('-', '−');
