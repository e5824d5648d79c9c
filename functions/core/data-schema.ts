import * as z from "zod";
import type { EventType } from "./catalog.ts";

/**
 * The JSON Schema (2020-12) of the `data` that a client may send in a version of a type. A check that JSON Schema cannot
 * express is left out; ingest still makes it.
 * @throws Error if zod cannot write the schema
 */
export function toJsonSchema({ type, dataschema, data }: Omit<EventType, "file">): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(data, { io: "input", unrepresentable: "any" });
  return { $schema, $id: dataschema, title: type, ...schema };
}
