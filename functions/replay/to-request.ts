import { RequestError } from "../core/errors.ts";
import { filterFromBody } from "../core/filter/from-body.ts";
import { toMicroseconds } from "../core/instant.ts";
import { listOf } from "../core/dead-letter-bodies.ts";
import type { NewDiscardBody, NewReplayBody } from "../core/replay-bodies.ts";
import type { ReplayRequest } from "../core/replay-job.ts";

/**
 * The request of a job. It checks what the schema of a body does not: the order of the times, conditions that exclude each
 * other, and the filter, which is read from the text of the body because its numbers may have more digits than a double keeps.
 * @throws RequestError `bad_filter`, `malformed_body`
 */
export function toRequest(
  body: Omit<NewReplayBody, "dryRun" | "planned"> | Omit<NewDiscardBody, "dryRun" | "planned">,
  text: Uint8Array,
): ReplayRequest {
  const { ids, reason, sqlState, message, limit } = body;
  const [from, to] = [toInstant(body.openedFrom), toInstant(body.openedTo)];
  if (from !== undefined && to !== undefined && from >= to) {
    throw malformed("openedTo: is not after openedFrom, so no dead letter can match");
  }
  const filter = filterFromBody(text);
  const selection = {
    filter: filter && JSON.stringify(filter),
    ids,
    reasons: listOf(reason),
    sqlStates: listOf(sqlState),
    messageGroups: listOf(message),
    opened: from === undefined && to === undefined ? undefined : withoutAbsent({ from, to }),
  };
  if ("note" in body) {
    if (Object.values(selection).every((each) => each === undefined)) {
      throw malformed("it would discard everything. Give a condition, for example `openedTo` with the present time");
    }
    return withoutAbsent({ ...selection, limit, note: body.note });
  }
  const { edits, rate, maxReplays, to: queue } = body;
  if (edits !== undefined && ids !== undefined) {
    throw malformed("ids: `edits` names the dead letters already. Leave out `ids`, or the edits");
  }
  return withoutAbsent({ ...selection, ids: edits?.map(({ id }) => id) ?? ids, limit, rate, maxReplays, to: queue });
}

export const malformed = (fault: string) => new RequestError("malformed_body", `The body is not valid: ${fault}.`);

/** RFC 3339 has instants that PostgreSQL refuses. */
const toInstant = (text: string | undefined) => (text === undefined ? undefined : toMicroseconds(text));

/** JSON without the members that are undefined, so that what is kept is what is compared. */
function withoutAbsent<T extends object>(value: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
