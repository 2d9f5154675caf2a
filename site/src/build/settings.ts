/**
 * The settings of a deployment as the page about them shows them: names, defaults and bounds from the schemas that the
 * Worker parses its configuration with. A setting that nobody described stops the build.
 */
import * as z from 'zod';
import {
  auditSettings,
  guestSettings,
  mailSettings,
  natsSettings,
  quotaSettings,
  secrets,
  siteSettings,
} from '../../../functions/shared/env.ts';
import { regionSettings } from '../../../functions/shared/regions.ts';

/** A row of the table. Backticks in `text` mean code. */
export interface SettingRow {
  name: string;
  /** What it is when nobody sets it: "2,000 by default", "none by default", "needed", "needed with engine". */
  unset: string;
  /** What it may be: "100 to 10,000"; empty where there is more to it than bounds. */
  range: string;
  text: string;
}

/** The part of JSON Schema that settings use. */
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

/** What each setting does and what follows from it, by group. */
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

/** Members of the `AUDIT` var. */
export const auditRows = (texts: Texts) => rows(auditSettings, texts);

/** The Worker's secrets. Those that not every deployment has stand in no schema. */
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

/** The settings of a schema, those of a member that is an object under its name: `account_limits.streams`. */
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
  // JSON Schema states the largest safe integer where a schema states nothing.
  const open = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER;
  return open ? `${number(minimum)} or more` : `${number(minimum)} to ${number(maximum)}`;
}

const number = (value: number) => value.toLocaleString('en').replace('-', '−');
