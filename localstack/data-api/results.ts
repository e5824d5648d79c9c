import { parseArray } from "./array-text.ts";
import { DataApiError } from "./errors.ts";
import { MAX_ROW_BYTES } from "./limits.ts";
import type { ExecuteRequest } from "./request.ts";
import { elementType, resultType, type ResultType } from "./result-types.ts";
import type { ResultField, StatementResult } from "./statement.ts";

type Options = Pick<ExecuteRequest, "includeResultMetadata" | "formatRecordsAs" | "resultSetOptions">;

/**
 * The body of ExecuteStatement's answer. A statement that returns rows reports no count, whatever it wrote.
 * https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html
 *
 * Throws UnsupportedResultException for a type that cannot be returned, a multidimensional array, a row over 64 KB or
 * data over 1 MiB, and InternalFailure for an infinite date. The statement has run, and was committed, all the same.
 */
export function executeResponse(result: StatementResult, options: Options): Record<string, unknown> {
  const { fields, rows } = result;
  if (fields === undefined) return { numberOfRecordsUpdated: updatedRows(result.tag), generatedFields: [] };
  if (result.oversized) throw unsupported("The result exceeds the size limit 1 MB");

  const readers = fields.map((field) => reader(field, options.resultSetOptions));
  for (const row of rows) refuseLargeRow(row, fields);
  const records = rows.map((row) => row.map((text, column) => readers[column]?.(text) ?? NULL));
  if (options.formatRecordsAs === "JSON" && result.tag.startsWith("SELECT")) {
    return { numberOfRecordsUpdated: 0, formattedRecords: JSON.stringify(records.map((row) => toObject(row, fields))) };
  }
  const metadata = options.includeResultMetadata ? { columnMetadata: fields.map(columnMetadata) } : {};
  return { numberOfRecordsUpdated: 0, records, ...metadata };
}

type Field = Record<string, unknown>;
type ReadField = (text: string | null) => Field;

/** Decides once for each column how its text becomes a field. */
function reader({ name, dataTypeID }: ResultField, options: Options["resultSetOptions"]): ReadField {
  const type = resultType(dataTypeID);
  if (type !== undefined) return (text) => (text === null ? NULL : toField(type, text, options));
  const element = elementType(dataTypeID);
  if (element === undefined) {
    throw unsupported(
      `The result contains an unsupported data type (column ${name}, type ${dataTypeID}): cast to text`,
    );
  }
  return (text) => (text === null ? NULL : { arrayValue: array(element, text) });
}

/** One value as a member of the union. Numbers keep their digits, as no JavaScript number would. */
function toField(type: ResultType, text: string, options: Options["resultSetOptions"]): Field {
  switch (type.kind) {
    case "boolean":
      return { booleanValue: text === "t" };
    case "long":
      return options.longReturnType === "STRING" ? { stringValue: text } : { longValue: new Digits(text) };
    case "double":
      return { doubleValue: double(type, text) };
    case "decimal": {
      if (options.decimalReturnType === "STRING" || !/\d$/.test(text)) return { stringValue: text };
      return text.includes(".") ? { doubleValue: Number(text) } : { longValue: new Digits(text) };
    }
    case "blob":
      return { blobValue: Buffer.from(text.slice("\\x".length), "hex").toString("base64") };
    case "timestamptz":
      return { stringValue: withoutOffset(refuseInfinity(text)) };
    case "timestamp":
    case "date":
      return { stringValue: refuseInfinity(text) };
    case "string":
      return { stringValue: text };
    default:
      return type.kind satisfies never;
  }
}

function array(type: ResultType, text: string): Field {
  const elements = parseArray(text);
  if (elements === undefined) throw unsupported("The result contains a multidimensional array");
  const values = elements.map((each) => (each === null ? null : Object.values(toField(type, each, AS_DECLARED))[0]));
  return { [ARRAY_MEMBER[type.kind] ?? "stringValues"]: values };
}

/** NaN and the infinities travel as words; a float4 as the float8 of the same value. */
function double({ name }: ResultType, text: string): number | string {
  if (!Number.isFinite(Number(text))) return text;
  return name === "float4" ? Math.fround(Number(text)) : Number(text);
}

/** A UTC wall clock, the offset taken off: that is what the Data API returns. */
function withoutOffset(text: string): string {
  if (!text.endsWith("+00")) throw unsupported("A timestamptz is only returned with the session's TimeZone at UTC");
  return text.slice(0, -"+00".length);
}

function refuseInfinity(text: string): string {
  if (text.endsWith("infinity")) throw new DataApiError("InternalFailure");
  return text;
}

function refuseLargeRow(row: (string | null)[], fields: ResultField[]): void {
  let bytes = 0;
  for (const [column, text] of row.entries()) {
    if (text === null) continue;
    const isBlob = resultType(fields[column]?.dataTypeID ?? 0)?.kind === "blob";
    bytes += isBlob ? (text.length - "\\x".length) / 2 : Buffer.byteLength(text);
  }
  if (bytes > MAX_ROW_BYTES) throw unsupported("The result contains a row that exceeds the size limit 64 KB");
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api-json.html */
function toObject(row: Field[], fields: ResultField[]): Record<string, unknown> {
  return Object.fromEntries(row.map((field, column) => [fields[column]?.name ?? "", plainValue(field)]));
}

function plainValue(field: Field): unknown {
  if (field["isNull"] === true) return null;
  const [value] = Object.values(field);
  return field["arrayValue"] === undefined ? value : Object.values(value as Field)[0];
}

function columnMetadata({ name, dataTypeID, dataTypeModifier }: ResultField): Record<string, unknown> {
  const element = elementType(dataTypeID);
  const type = resultType(dataTypeID);
  const { precision, scale } = sizes(type, dataTypeModifier);
  return {
    name,
    label: name,
    typeName: element === undefined ? type?.name : `_${element.name}`,
    type: element === undefined ? type?.jdbcType : JDBC_ARRAY,
    arrayBaseColumnType: element?.jdbcType ?? 0,
    // Which table a column comes from is left blank, so that nothing here can come to rely on it.
    schemaName: "",
    tableName: "",
    nullable: NULLABLE_UNKNOWN,
    isAutoIncrement: false,
    isCaseSensitive: type?.kind === "string",
    isCurrency: false,
    isSigned: type?.kind === "long" || type?.kind === "double" || type?.kind === "decimal",
    precision,
    scale,
  };
}

/** The modifier's packing is that of numerictypmodin and varchartypmodin in PostgreSQL's source; -1 means none. */
function sizes(type: ResultType | undefined, modifier: number): { precision: number; scale: number } {
  if (modifier < 4) return { precision: 0, scale: 0 };
  const packed = modifier - 4;
  if (type?.kind === "decimal") return { precision: packed >> 16, scale: packed & 0x7ff };
  return { precision: type?.kind === "string" ? packed : 0, scale: 0 };
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

const NULL: Field = { isNull: true };
const ARRAY_MEMBER: Partial<Record<ResultType["kind"], string>> = {
  boolean: "booleanValues",
  long: "longValues",
  double: "doubleValues",
};
const AS_DECLARED = { decimalReturnType: "STRING", longReturnType: "LONG" } as const;
const JDBC_ARRAY = 2003;
const NULLABLE_UNKNOWN = 2;
