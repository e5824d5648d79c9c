import { DataApiError } from "./errors.ts";
import { MAX_ROW_BYTES } from "./limits.ts";
import type { ExecuteRequest } from "./parse-request.ts";
import { resultType, type ResultType } from "./result-types.ts";
import type { ResultField, StatementResult } from "./run-statement.ts";

/**
 * The body of ExecuteStatement's response. A statement that returns rows reports no count, whatever it wrote.
 * https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html
 *
 * @throws DataApiError UnsupportedResultException for a type that cannot be returned, a row over 64 KB or data over 1 MiB,
 *   and InternalFailure for an infinite date; the statement has been committed all the same
 */
export function executeResponse(
  result: StatementResult,
  format: ExecuteRequest["formatRecordsAs"],
): Record<string, unknown> {
  const { fields, rows } = result;
  if (fields === undefined) return { numberOfRecordsUpdated: updatedRows(result.tag), generatedFields: [] };
  if (result.oversized) throw unsupported("The result exceeds the size limit 1 MB");

  const types = fields.map(typeOf);
  for (const row of rows) refuseLargeRow(row);
  const records = rows.map((row) => row.map((text, column) => toField(types[column], text)));
  if (format === "JSON" && result.tag.startsWith("SELECT")) {
    return { numberOfRecordsUpdated: 0, formattedRecords: JSON.stringify(records.map((row) => toObject(row, fields))) };
  }
  return { numberOfRecordsUpdated: 0, records };
}

type Field = Record<string, unknown>;

function typeOf({ name, dataTypeID }: ResultField): ResultType {
  const type = resultType(dataTypeID);
  if (type !== undefined) return type;
  throw unsupported(`The result contains an unsupported data type (column ${name}, type ${dataTypeID}): cast to text`);
}

/** One value as a member of the union. Integers keep their digits, as no JavaScript number would. */
function toField(type: ResultType | undefined, text: string | null): Field {
  if (text === null) return { isNull: true };
  switch (type) {
    case "boolean":
      return { booleanValue: text === "t" };
    case "long":
      return { longValue: new Digits(text) };
    case "double":
      return { doubleValue: double(text) };
    case "float":
      return { doubleValue: double(text, Math.fround) };
    case "timestamptz":
      return { stringValue: withoutOffset(refuseInfinity(text)) };
    case "timestamp":
    case "date":
      return { stringValue: refuseInfinity(text) };
    default:
      return { stringValue: text };
  }
}

/** NaN and the infinities travel as words; a float4 as the float8 of the same value. */
function double(text: string, round: (value: number) => number = Number): number | string {
  return Number.isFinite(Number(text)) ? round(Number(text)) : text;
}

/** A UTC wall clock without its offset: that is the form the Data API returns. */
function withoutOffset(text: string): string {
  if (!text.endsWith("+00")) throw unsupported("A timestamptz is only returned with the session's TimeZone at UTC");
  return text.slice(0, -"+00".length);
}

function refuseInfinity(text: string): string {
  if (text.endsWith("infinity")) throw new DataApiError("InternalFailure");
  return text;
}

function refuseLargeRow(row: (string | null)[]): void {
  const bytes = row.reduce((total, text) => total + Buffer.byteLength(text ?? ""), 0);
  if (bytes > MAX_ROW_BYTES) throw unsupported("The result contains a row that exceeds the size limit 64 KB");
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api-json.html */
function toObject(row: Field[], fields: ResultField[]): Record<string, unknown> {
  return Object.fromEntries(
    row.map((field, column) => [fields[column]?.name ?? "", field["isNull"] === true ? null : Object.values(field)[0]]),
  );
}

/** `INSERT 0 3` and `UPDATE 3` changed three rows, `CREATE TABLE` none. */
const updatedRows = (tag: string): number => Number(/ (\d+)$/.exec(tag)?.[1] ?? 0);

const unsupported = (message: string): DataApiError => new DataApiError("UnsupportedResultException", message);

/** A number that JSON shows with exactly these digits. */
class Digits {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toJSON(): unknown {
    return rawJson(this.#text);
  }
}

/** In Node 24, not yet in TypeScript's library. */
const rawJson = (text: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
