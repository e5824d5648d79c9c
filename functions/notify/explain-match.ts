import { RequestError } from "../core/errors.ts";
import { explain } from "../core/filter/explain.ts";
import type { Filter } from "../core/filter/filter.ts";
import type { FilterableEvent } from "../core/filter/predicate.ts";
import { quote, type Reason } from "../core/filter/reason.ts";
import { parseLossless } from "../core/lossless-json.ts";
import { matchesAny } from "../core/patterns.ts";
import type { AllowedEvents, EventReader } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";

/** An event that is given whole, or the key of one that is stored. */
export type TestedEvent =
  | { kind: "whole"; event: FilterableEvent }
  | { kind: "stored"; id: string; source: string | undefined };

/**
 * Explains why an event does not match: the parts of the filter that do not hold, and the types and sources that a subscription
 * does not get. No reasons for an event that matches.
 */
export function explainMatch(filter: Filter | undefined, allowed: AllowedEvents, event: FilterableEvent): Reason[] {
  const forbidden = (["type", "source"] as const).flatMap((name) => {
    const patterns = allowed[`${name}s`];
    const value = event[name];
    if (matchesAny(patterns, typeof value === "string" ? value : "")) return [];
    const has = typeof value === "string" ? `the event has ${quote(value)}` : "the event does not have it as a text";
    return { pointer: "", message: `the key may read only the ${name}s ${patterns?.join(", ")}; ${has}` };
  });
  return [...forbidden, ...(filter === undefined ? [] : explain(filter, event))];
}

/** Finds the event that is tested. @throws RequestError `not_found`, `ambiguous_id`; DatabaseError */
export async function findTested(
  tested: TestedEvent,
  { tenant, types, sources }: Pick<Principal, "tenant" | "types" | "sources">,
  { events, deadline }: { events: EventReader; deadline: number },
): Promise<FilterableEvent> {
  if (tested.kind === "whole") return tested.event;
  const { id, source } = tested;
  const found = await events.find({ tenant, id, source, allowed: { types, sources } }, deadline);
  switch (found.kind) {
    case "found":
      return parseLossless(found.json).lossless as FilterableEvent;
    case "absent":
      throw new RequestError(
        "not_found",
        "No event with this id is stored that the key may read. Send the whole event.",
      );
    case "ambiguous":
      throw new RequestError("ambiguous_id", "Several sources used this id. Name one in `event.source`.", {
        members: { sources: found.sources },
      });
  }
}
