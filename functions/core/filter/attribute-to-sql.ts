import { afterPrefix } from "./code-points.ts";
import { writeInstant } from "./instant.ts";
import type { Bind } from "./to-sql.ts";

/** Compiles the comparison of one attribute; null where the event does not have it. */
export function attributeToSql(
  dialect: "exact" | "prefix" | "suffix",
  name: string,
  value: string,
  bind: Bind,
): string {
  if (dialect === "exact" && name === "time") return `e.time = cast(${bind(writeInstant(value))} as timestamptz)`;
  const text = COLUMNS.get(name) ?? `filter_extension(e.extensions, ${bind(name)})`;
  if (dialect === "exact") return `${text} = ${bind(value)}`;
  if (dialect === "suffix") return `filter_ends_with(${text}, ${bind(value)})`;
  if (!ORDERED_BY_CODE_POINT.has(name)) return `starts_with(${text}, ${bind(value)})`;
  // A range, which an index can serve behind a policy: starts_with is not leakproof.
  const end = afterPrefix(value);
  return end === undefined ? `${text} >= ${bind(value)}` : `(${text} >= ${bind(value)} and ${text} < ${bind(end)})`;
}

const COLUMNS: ReadonlyMap<string, string> = new Map([
  ["id", "e.id"],
  ["source", "e.source"],
  ["type", "e.type"],
  ["subject", "e.subject"],
  ["dataschema", "e.dataschema"],
  ["datacontenttype", "e.datacontenttype"],
  ["time", "filter_time(e.time, e.time_sent)"],
]);

/** Columns with the collation C. */
const ORDERED_BY_CODE_POINT: ReadonlySet<string> = new Set(["id", "source", "type"]);
