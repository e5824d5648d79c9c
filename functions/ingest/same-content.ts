import type { Event } from "../core/event.ts";
import { isSameJson } from "../core/same-json.ts";

/**
 * Tells whether two valid events with one key have the same content, as the database decides conflicts (`find_conflicts` in
 * functions/sql/0001_events.sql): all but the times is compared, and JSON by value.
 */
export function haveSameContent(a: Event, b: Event): boolean {
  return COMPARED.every((name) => isSameJson(a[name], b[name]));
}

const COMPARED = ["type", "subject", "dataschema", "datacontenttype", "extensions", "data", "data_base64"] as const;
