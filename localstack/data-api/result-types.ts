/**
 * The PostgreSQL types that the local Data API returns. Every other type (arrays, bytea, interval, money, enums, …) is
 * refused here. AWS documents no list: https://github.com/tmokmss/aurora-data-api-proxy (COMPATIBILITY.md) found these to
 * come back whole from Aurora; it found arrays and bytea too, but no statement of Sluice selects any.
 */
export type ResultType =
  | "boolean"
  | "date"
  | "decimal"
  | "double"
  | "float"
  | "long"
  | "string"
  | "timestamp"
  | "timestamptz";

export const resultType = (oid: number): ResultType | undefined => TYPES[oid];

/** By OID: https://www.postgresql.org/docs/17/datatype-oid.html, catalogue pg_type. */
const TYPES: Record<number, ResultType> = {
  16: "boolean", // bool
  19: "string", // name
  20: "long", // int8
  21: "long", // int2
  23: "long", // int4
  25: "string", // text
  26: "long", // oid
  114: "string", // json
  700: "float", // float4
  701: "double", // float8
  1042: "string", // bpchar
  1043: "string", // varchar
  1082: "date",
  1083: "string", // time
  1114: "timestamp",
  1184: "timestamptz",
  1700: "decimal", // numeric
  2950: "string", // uuid
  3802: "string", // jsonb
};
