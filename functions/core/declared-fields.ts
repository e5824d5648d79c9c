import type { EventType } from "./catalog.ts";
import { readPointer } from "./data-path.ts";
import type { Retention } from "./retention.ts";

/** A place in the data of a type's events, which a file of the catalog names. */
export type DeclaredField = { type: string; pointer: string; path: string[] };

/**
 * `measures`: numbers of which the store keeps rollups; `indexed`: values by which events are found; `retentions`: the classes of
 * types that name one, each once.
 */
export type DeclaredFields = Record<Purpose, DeclaredField[]> & { retentions: Retention[] };
type Purpose = "measures" | "indexed";

/** The fields that a catalog declares, each once: a type has those of all its versions. */
export function toDeclaredFields(
  eventTypes: readonly Pick<EventType, "type" | "retention" | Purpose>[],
): DeclaredFields {
  return {
    measures: fieldsFor("measures", eventTypes),
    indexed: fieldsFor("indexed", eventTypes),
    retentions: [...new Set(eventTypes.flatMap(({ retention }) => retention ?? []))],
  };
}

function fieldsFor(purpose: Purpose, eventTypes: readonly Pick<EventType, "type" | Purpose>[]): DeclaredField[] {
  const byKey = new Map<string, DeclaredField>();
  for (const { type, [purpose]: pointers = [] } of eventTypes) {
    for (const pointer of pointers)
      byKey.set(JSON.stringify([type, pointer]), { type, pointer, path: readPointer(pointer) ?? [] });
  }
  return [...byKey.values()];
}
