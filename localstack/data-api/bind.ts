import { invalid } from "./errors.ts";
import type { SqlParameter } from "./request.ts";
import { scanSql } from "./scanner.ts";

/** A statement as it goes to PostgreSQL: every parameter has a declared type, none is left for it to guess. */
export type BoundStatement = { text: string; types: number[]; values: (string | Buffer | null)[] };

/**
 * Binds named parameters. A string is `text` and nothing else, so `uuid_column = :id` fails with
 * `operator does not exist: uuid = text` unless the SQL casts or a `typeHint` says otherwise.
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api-operations.html
 *
 * Throws ValidationException for a parameter that is missing, unused (AWS does not say; this is the stricter reading),
 * given twice, or of a form that its hint does not allow.
 */
export function bindParameters(sql: string, parameters: SqlParameter[]): BoundStatement {
  const { text, names } = scanSql(sql);
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  if (byName.size < parameters.length) throw invalid("A parameter is given twice");
  const unused = parameters.find(({ name }) => !names.includes(name));
  if (unused !== undefined) throw invalid(`Parameter is not used in the SQL: ${unused.name}`);

  const bound = names.map((name) => {
    const parameter = byName.get(name);
    if (parameter === undefined) throw invalid(`Cannot find parameter: ${name}`);
    return bindOne(parameter);
  });
  return { text, types: bound.map(({ type }) => type), values: bound.map(({ value }) => value) };
}

function bindOne({ name, value, typeHint }: SqlParameter): { type: number; value: string | Buffer | null } {
  if (typeHint !== undefined) {
    const hint = HINTS[typeHint];
    if (value.isNull) return { type: hint.type, value: null };
    if (value.stringValue === undefined) throw invalid(`typeHint ${typeHint} needs a stringValue: ${name}`);
    if (!hint.accepts(value.stringValue)) throw invalid(`Parameter ${name} is not of the form of ${typeHint}`);
    return { type: hint.type, value: value.stringValue };
  }
  if (value.isNull) return { type: OID.text, value: null };
  if (value.stringValue !== undefined) return { type: OID.text, value: value.stringValue };
  if (value.longValue !== undefined) return { type: OID.int8, value: String(value.longValue) };
  if (value.doubleValue !== undefined) return { type: OID.float8, value: String(value.doubleValue) };
  if (value.booleanValue !== undefined) return { type: OID.bool, value: String(value.booleanValue) };
  if (value.blobValue !== undefined) return { type: OID.bytea, value: Buffer.from(value.blobValue, "base64") };
  throw invalid(`Parameter has no value: ${name}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);

/** https://www.postgresql.org/docs/17/datatype-oid.html */
const OID = { bool: 16, bytea: 17, int8: 20, text: 25, float8: 701 };

/** Hint, the type it binds, and the form AWS asks for. `JSON` is `jsonb`, the type the service's driver (sqlx) uses. */
const HINTS = {
  DATE: { type: 1082, accepts: matches(/^\d{4}-\d\d-\d\d$/) },
  DECIMAL: { type: 1700, accepts: matches(/^[+-]?\d+(\.\d+)?$/) },
  JSON: { type: 3802, accepts: isJson },
  TIME: { type: 1083, accepts: matches(/^\d\d:\d\d:\d\d(\.\d{1,3})?$/) },
  TIMESTAMP: { type: 1114, accepts: matches(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?$/) },
  UUID: { type: 2950, accepts: matches(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i) },
};
