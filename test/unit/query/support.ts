import { DatabaseError } from "../../../functions/core/errors.ts";
import { matchesAny } from "../../../functions/core/patterns.ts";
import type { EventReader, StorableEvent } from "../../../functions/core/ports.ts";

/** A reader over events in memory, with the contract of the real one. */
export function memoryReader(events: StorableEvent[]): { reader: EventReader; outage: () => void } {
  let isDown = false;
  const reader: EventReader = {
    async find({ tenant, id, source, allowed }) {
      if (isDown) throw new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "down" });
      const matches = events
        .filter((each) => each.tenant === tenant && each.event.id === id)
        .filter(({ event }) => source === undefined || event.source === source)
        .filter(({ event }) => matchesAny(allowed?.types, event.type) && matchesAny(allowed?.sources, event.source));
      const [match, ...others] = matches;
      if (match === undefined) return { kind: "absent" };
      if (others.length > 0) {
        return { kind: "ambiguous", sources: matches.map(({ event }) => event.source).toSorted() };
      }
      const { extensions, ...attributes } = match.event;
      const json = { specversion: "1.0", ...attributes, ...extensions, tenant, receivedat: match.receivedAt };
      return { kind: "found", json: JSON.stringify(json) };
    },
  };
  return {
    reader,
    outage: () => {
      isDown = true;
    },
  };
}
