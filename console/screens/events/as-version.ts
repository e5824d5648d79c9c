import { partsOf } from "../../parts/json-parts.ts";

/** Members that Sluice has added to an event, and does not take from a client. */
const ADDED: ReadonlySet<string> = new Set(["tenant", "receivedat"]);

/**
 * The text of a stored event as a client would send it under another version of its type, with every value as it was written.
 * @param dataschema undefined for the event without one, which means the oldest version
 */
export function asVersion(event: string, dataschema: string | undefined): string {
  const members = partsOf(event.trim()).filter(({ key }) => key !== "dataschema" && !ADDED.has(key));
  const version = dataschema === undefined ? [] : [{ key: "dataschema", text: JSON.stringify(dataschema) }];
  return `{${[...members, ...version].map(({ key, text }) => `${JSON.stringify(key)}:${text}`).join(",")}}`;
}
