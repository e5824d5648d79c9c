import { link } from "../route.ts";

/** The address of one event on the screen of events; its source tells apart events of the same id. */
export function eventLink(id: string, source: string): string {
  return link("events", {}, [id, source]);
}
