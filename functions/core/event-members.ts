import { memberText, memberTexts } from "./json-spans.ts";

/** An event that was read from its text, with its data as it is written there: numbers keep their digits. */
export type EventMembers = {
  /** All but `data`, `data_base64` and `datacontenttype`, as texts, in the order of the event. */
  attributes: ReadonlyMap<string, string>;
  datacontenttype: string | undefined;
  /** The JSON text of `data`; undefined where it has none. */
  data: string | undefined;
  dataBase64: string | undefined;
};

/** Reads a CloudEvent in JSON, which is valid. */
export function readEventMembers(event: string): EventMembers {
  const members = memberTexts(event);
  const valueOf = (name: string): string | undefined => {
    const text = members.get(name);
    return text === undefined ? undefined : String(JSON.parse(text));
  };
  const names = [...members.keys()].filter((name) => !NO_ATTRIBUTES.has(name));
  return {
    attributes: new Map(names.map((name) => [name, valueOf(name) ?? ""])),
    datacontenttype: valueOf("datacontenttype"),
    data: members.get("data"),
    dataBase64: valueOf("data_base64"),
  };
}

/** The extension `traceparent` of a CloudEvent in JSON, as it is. */
export function readTraceparentOf(event: string): string | undefined {
  // Most events have none, and their data may be long.
  if (!event.includes('"traceparent"')) return undefined;
  const text = memberText(event, "traceparent");
  return text === undefined ? undefined : String(JSON.parse(text));
}

const NO_ATTRIBUTES: ReadonlySet<string> = new Set(["data", "data_base64", "datacontenttype"]);
