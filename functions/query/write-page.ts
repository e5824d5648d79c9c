import { project, type Selection } from "../core/selection.ts";
import type { ListPage } from "./list.ts";

/** Writes a page as JSON. The texts of its events stand in it as they are, or as `select` leaves them. */
export function writePage(page: ListPage, selection: Selection | undefined): string {
  const events = selection === undefined ? page.events : page.events.map((event) => project(event, selection));
  return `{"events":[${events.join(",")}],${writeFacts(page).slice(1)}`;
}

/** Writes the facts of a page as a JSON object: everything but its events. */
export function writeFacts({
  next,
  prev,
  isComplete,
  plan,
  scanned,
  count,
}: Omit<ListPage, "events" | "direction">): string {
  return JSON.stringify({
    next,
    prev,
    complete: isComplete,
    plan,
    scanned: { rows: scanned },
    ...(count !== undefined && { count }),
  });
}
