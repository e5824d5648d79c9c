import type { Event } from "../core/event.ts";
import { isSameJson } from "../core/same-json.ts";
import { TRACE_EXTENSIONS } from "../core/with-trace.ts";

/**
 * Tells whether two valid events with one key have the same content, as the database decides conflicts (`find_conflicts` in
 * functions/sql/0001_events.sql): all but the times and the trace is compared, and JSON by value.
 */
export function haveSameContent(a: Event, b: Event): boolean {
  return COMPARED.every((name) => isSameJson(a[name], b[name])) && isSameJson(extensionsOf(a), extensionsOf(b));
}

const COMPARED = ["type", "subject", "dataschema", "datacontenttype", "data", "data_base64"] as const;

/** A request that is sent again is in another span, and often in another trace. */
function extensionsOf({ extensions = {} }: Event): object {
  if (!TRACE_EXTENSIONS.some((name) => name in extensions)) return extensions;
  return Object.fromEntries(Object.entries(extensions).filter(([name]) => !TRACE_EXTENSIONS.includes(name)));
}
