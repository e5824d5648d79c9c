/**
 * The PostgreSQL types that the Data API returns; every other one (interval, money, macaddr, "char", xml, geometric
 * types, enums, ranges, …) is refused here. AWS documents no list: these are the types that
 * https://github.com/tmokmss/aurora-data-api-proxy (COMPATIBILITY.md) found to come back whole from Aurora.
 */
export type ResultType = {
  name: string;
  kind: "long" | "double" | "decimal" | "boolean" | "string" | "blob" | "timestamp" | "timestamptz" | "date";
  /** Number of the JDBC type, as `columnMetadata` gives it (java.sql.Types). */
  jdbcType: number;
};

export const resultType = (oid: number): ResultType | undefined => TYPES[oid];

/** The element type of an array type, for example int4 for int4[]. */
export function elementType(oid: number): ResultType | undefined {
  const element = ELEMENT_OF[oid];
  return element === undefined ? undefined : TYPES[element];
}

/** By OID: https://www.postgresql.org/docs/17/datatype-oid.html, catalogue pg_type. */
const TYPES: Record<number, ResultType> = {
  16: { name: "bool", kind: "boolean", jdbcType: -7 },
  17: { name: "bytea", kind: "blob", jdbcType: -2 },
  19: { name: "name", kind: "string", jdbcType: 12 },
  20: { name: "int8", kind: "long", jdbcType: -5 },
  21: { name: "int2", kind: "long", jdbcType: 5 },
  23: { name: "int4", kind: "long", jdbcType: 4 },
  25: { name: "text", kind: "string", jdbcType: 12 },
  26: { name: "oid", kind: "long", jdbcType: -5 },
  114: { name: "json", kind: "string", jdbcType: 1111 },
  700: { name: "float4", kind: "double", jdbcType: 7 },
  701: { name: "float8", kind: "double", jdbcType: 8 },
  1042: { name: "bpchar", kind: "string", jdbcType: 1 },
  1043: { name: "varchar", kind: "string", jdbcType: 12 },
  1082: { name: "date", kind: "date", jdbcType: 91 },
  1083: { name: "time", kind: "string", jdbcType: 92 },
  1114: { name: "timestamp", kind: "timestamp", jdbcType: 93 },
  1184: { name: "timestamptz", kind: "timestamptz", jdbcType: 93 },
  1700: { name: "numeric", kind: "decimal", jdbcType: 2 },
  2950: { name: "uuid", kind: "string", jdbcType: 1111 },
  3802: { name: "jsonb", kind: "string", jdbcType: 1111 },
};

/** Array type to element type. No bytea[]: an `arrayValue` has no member for blobs. */
const ELEMENT_OF: Record<number, number> = {
  199: 114,
  1000: 16,
  1003: 19,
  1005: 21,
  1007: 23,
  1009: 25,
  1014: 1042,
  1015: 1043,
  1016: 20,
  1021: 700,
  1022: 701,
  1028: 26,
  1115: 1114,
  1182: 1082,
  1183: 1083,
  1185: 1184,
  1231: 1700,
  2951: 2950,
  3807: 3802,
};
