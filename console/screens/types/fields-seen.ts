import { elementsOf, type JsonKind, kindOf, partsOf } from "../../parts/json-parts.ts";

/** The values at one place of many events. */
export type Seen = {
  /** Events that have a value there. */
  events: number;
  kinds: Map<JsonKind, number>;
  members: Map<string, Seen>;
  /** Of arrays, all their elements together. */
  elements: Seen | undefined;
};

/** Names of members at one place; data whose keys are values has more, and shows by so many that it has. */
const MAX_MEMBERS = 200;
/** Elements of one array that are looked at: they are alike. */
const MAX_ELEMENTS = 50;
const MAX_DEPTH = 12;

function nothingSeen(): Seen {
  return { events: 0, kinds: new Map(), members: new Map(), elements: undefined };
}

/** The fields that the data of events have, each JSON as it was written. */
export function fieldsSeen(data: readonly string[]): Seen {
  const seen = nothingSeen();
  for (const json of data) look(json, seen, new Set(), 0);
  return seen;
}

/** @param counted the places that this event has counted for already: elements of an array are one place */
function look(json: string, seen: Seen, counted: Set<Seen>, depth: number): void {
  const kind = kindOf(json);
  if (!counted.has(seen)) seen.events += 1;
  counted.add(seen);
  seen.kinds.set(kind, (seen.kinds.get(kind) ?? 0) + 1);
  if (depth === MAX_DEPTH) return;
  if (kind === "array") {
    for (const element of elementsOf(json).slice(0, MAX_ELEMENTS))
      look(element, (seen.elements ??= nothingSeen()), counted, depth + 1);
  } else if (kind === "object") {
    for (const { key, text } of partsOf(json)) {
      const member = seen.members.get(key) ?? nothingSeen();
      if (seen.members.size < MAX_MEMBERS) seen.members.set(key, member);
      look(text, member, counted, depth + 1);
    }
  }
}
