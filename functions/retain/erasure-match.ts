import type { ErasureHoldFilter, ErasureJob, ErasureWork } from "../core/erasure-job.ts";
import { ERASURE_HOLD_ATTEMPTS } from "../core/erasure-limits.ts";
import { type ErasureMatch, OnHoldError } from "../core/erasure-objects.ts";
import { parseFilter } from "../core/filter/filter.ts";
import { toPredicate } from "../core/filter/predicate.ts";
import { isJsonObject, parseLossless } from "../core/lossless-json.ts";

/** Another step has the job, so nothing more of it may be done here. */
export class SupersededError extends Error {
  override readonly name = "SupersededError";
}

/**
 * Makes the match of an erasure for objects: an event is erased that the request means, as its text says, or that was found
 * among the rows and dead letters.
 */
export function createErasureMatch(
  work: Pick<ErasureWork, "holds" | "match" | "noteArchived">,
  job: ErasureJob,
  holder: string,
): ErasureMatch {
  const isMeant = matcherOf(job.request);

  return async function isErased(place, events, deadline) {
    if (events.length === 0) return [];
    const parsed = events.map(({ json }) => (json === undefined ? undefined : parse(json)));
    for (let attempt = 1; ; attempt += 1) {
      const holds = await work.holds(job.tenant, deadline);
      const heldBy = holdOf(holds);
      const candidates = events.map((event, index) => {
        const of = parsed[index];
        return { ...event, isWanted: of !== undefined && isMeant(of), heldBy: of && heldBy(of) };
      });
      const found = await work.match(job, holder, candidates, holds, deadline);
      switch (found.kind) {
        case "superseded":
          throw new SupersededError("Another step has the erasure.");
        case "held":
          throw new OnHoldError(found.holdId);
        case "matched": {
          const places = new Set(found.places);
          if (place === "archive") {
            const lines = events.filter((_event, index) => places.has(index)).flatMap(({ json }) => json ?? []);
            if (lines.length > 0) await work.noteArchived(job, holder, lines, deadline);
          }
          return events.map((_event, index) => places.has(index));
        }
        case "holds_changed":
          if (attempt === ERASURE_HOLD_ATTEMPTS) throw new TypeError("An erasure found other holds each time.");
      }
    }
  };
}

/** Ids are compared by the database, which has them. */
function matcherOf(request: ErasureJob["request"]): (event: Record<string, unknown>) => boolean {
  if (request === undefined) return () => false;
  if ("subject" in request) return (event) => event["subject"] === request.subject;
  return toPredicate(parseFilter(parseLossless(request.filter).lossless));
}

function holdOf(holds: readonly ErasureHoldFilter[]): (event: Record<string, unknown>) => string | undefined {
  const tests = holds.map(({ id, filter }) => ({
    id,
    test: filter === undefined ? () => true : toPredicate(parseFilter(parseLossless(filter).lossless)),
  }));
  return (event) => tests.find(({ test }) => test(event))?.id;
}

function parse(json: string): Record<string, unknown> | undefined {
  const event = parseLossless(json).lossless;
  return isJsonObject(event) ? event : undefined;
}
