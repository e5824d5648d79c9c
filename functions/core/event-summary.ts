import { readEventMembers } from "./event-members.ts";

/** An event for people: its main attributes, and the beginning of its data. */
export type EventSummary = {
  type: string;
  /** Names and values, each on one line. */
  fields: readonly (readonly [string, string])[];
  /** Its JSON text, or that it has none. */
  data: string;
};

const SHOWN = ["type", "source", "id", "subject", "time", "tenant"] as const;

/** Summarizes an event; its data is cut behind `dataMaxCharacters`. */
export function summarizeEvent(event: string, dataMaxCharacters: number): EventSummary {
  const { attributes, data, dataBase64 } = readEventMembers(event);
  const fields = SHOWN.flatMap((name) => {
    const value = attributes.get(name);
    return value === undefined ? [] : [[name, toLine(value)] as const];
  });
  return {
    type: toLine(attributes.get("type") ?? ""),
    fields,
    data: cut(data ?? dataBase64 ?? "(no data)", dataMaxCharacters),
  };
}

/** A text on one line: an attribute with a line break must not look like the next one. */
export function toLine(text: string): string {
  return text.replaceAll(BREAKS, " ").trim();
}

/** Control characters, Unicode's own line breaks, and marks that change the direction of what follows. */
const BREAKS = /[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]+/g;

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max).toWellFormed()}… (${text.length} characters)`;
}
