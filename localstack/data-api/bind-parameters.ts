import { invalid } from "./errors.ts";
import type { SqlParameter } from "./parse-request.ts";
import { scanSql } from "./scan-sql.ts";

/** A statement for PostgreSQL in which every parameter has a declared type, so that PostgreSQL infers none. */
export type BoundStatement = { text: string; types: number[]; values: (string | null)[] };

/**
 * Binds named parameters. A string is `text` and nothing else, so `uuid_column = :id` fails with
 * `operator does not exist: uuid = text` unless the SQL casts.
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api-operations.html
 *
 * @throws DataApiError ValidationException for a parameter that is missing, given twice or unused (AWS's documents are
 *   silent about unused ones)
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

function bindOne({ name, value }: SqlParameter): { type: number; value: string | null } {
  if (value.isNull) return { type: OID.text, value: null };
  if (value.stringValue !== undefined) return { type: OID.text, value: value.stringValue };
  if (value.longValue !== undefined) return { type: OID.int8, value: String(value.longValue) };
  if (value.doubleValue !== undefined) return { type: OID.float8, value: String(value.doubleValue) };
  if (value.booleanValue !== undefined) return { type: OID.bool, value: String(value.booleanValue) };
  throw invalid(`Parameter has no value: ${name}`);
}

/** https://www.postgresql.org/docs/17/datatype-oid.html */
const OID = { bool: 16, int8: 20, text: 25, float8: 701 };
