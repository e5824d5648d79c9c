import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type * as z from "zod/mini";
import { AccessError } from "../../core/access.ts";
import { parseJson } from "../../core/parse-json.ts";

/**
 * Items of the tables. Every member of a record is an attribute of text; a member that is no text is kept as JSON. The keys
 * of the tables are the only numbers.
 */
export type Item = Record<string, AttributeValue>;

/** Writes the members of a record as attributes; those that are undefined are left out. */
export function toItem(record: Readonly<Record<string, unknown>>): Item {
  const item: Item = {};
  for (const [name, value] of Object.entries(record)) {
    if (value !== undefined) item[name] = { S: typeof value === "string" ? value : JSON.stringify(value) };
  }
  return item;
}

/**
 * Reads a record from an item; undefined where there is no item.
 * @param json names of the members that are kept as JSON
 * @throws AccessError for an item that is no such record, which somebody has written by hand
 */
export function fromItem<Schema extends z.ZodMiniType>(
  item: Item | undefined,
  schema: Schema,
  json: readonly string[],
): z.output<Schema> | undefined {
  if (item === undefined) return undefined;
  const record: Record<string, unknown> = {};
  try {
    for (const [name, { S: text }] of Object.entries(item)) {
      if (text !== undefined) record[name] = json.includes(name) ? parseJson(text) : text;
    }
  } catch (cause) {
    throw damaged(item, cause);
  }
  const parsed = schema.safeParse(record);
  if (!parsed.success) throw damaged(item, parsed.error);
  return parsed.data;
}

function damaged({ pk, tenant }: Item, cause: unknown): AccessError {
  return new AccessError(`The item ${pk?.S ?? tenant?.S ?? ""} of a table is not what Sluice writes.`, {
    cause,
    isOutage: false,
  });
}
