import type { Cursors } from "../core/cursor.ts";
import { RequestError } from "../core/errors.ts";
import type { FeedPlace } from "../core/feed.ts";
import { type Filter, parseFilter } from "../core/filter/filter.ts";
import { parseLossless } from "../core/lossless-json.ts";
import type { Principal } from "../core/principal.ts";
import { toMicroseconds } from "../core/instant.ts";
import type { Start } from "../core/subscription.ts";
import { malformed } from "./to-request.ts";

type Reader = Pick<Principal, "tenant" | "types" | "sources">;

/**
 * Reads `from`: `now`, a time of receipt, or a cursor of the feed that was given for this filter or for none.
 * @throws RequestError `malformed_body`, `bad_cursor`, `cursor_mismatch`; AccessError
 */
export async function toStart(
  from: string,
  { caller, filter, cursors, now }: { caller: Reader; filter: Filter | undefined; cursors: Cursors; now: Date },
): Promise<Start> {
  if (from === "now") return { kind: "now" };
  const at = toMicroseconds(from);
  if (at !== undefined) {
    if (at > now.toISOString()) throw malformed("from: is in the future. Send `now`, or leave it out");
    return { kind: "time", at };
  }
  if (!/^[\w-]+$/.test(from)) {
    throw malformed("from: is neither `now`, nor an instant of RFC 3339, nor a cursor of `GET /feed`");
  }
  return { kind: "place", place: await readPlace(from, { caller, filter, cursors }) };
}

/** The place of a cursor as functions/query/feed.ts writes it. */
async function readPlace(
  text: string,
  {
    caller: { tenant, types, sources },
    filter,
    cursors,
  }: { caller: Reader; filter: Filter | undefined; cursors: Cursors },
): Promise<FeedPlace> {
  const read = async (of: Filter | null) => {
    const binding = { tenant, request: [of, types ?? null, sources ?? null] };
    const [incarnation, number, began, event, forgotten] = (await cursors.read("feed", binding, text)) as FeedPosition;
    return { incarnation, number, began, event, forgotten };
  };
  try {
    return await read(null);
  } catch (error) {
    if (!(error instanceof RequestError) || error.code !== "cursor_mismatch") throw error;
    return read(filter ?? null).catch(() => {
      throw new RequestError("cursor_mismatch", CURSOR_MISMATCH);
    });
  }
}

type FeedPosition = [incarnation: string, number: string, began: string, event: string | null, forgotten: string];

const CURSOR_MISMATCH =
  "from: the cursor is not one of `GET /feed` of this tenant for a key with the same types and sources, or it was given for another filter. Read the feed with this key and without a filter, and send its `next`.";

export const cursorExpired = () =>
  new RequestError(
    "cursor_expired",
    "from: the database has not all events behind this cursor: it was restored, or they are no longer retained. Send a time, or `now`.",
  );

/** The filter of a kept subscription. */
export const toFilter = (text: string | undefined): Filter | undefined =>
  text === undefined ? undefined : parseFilter(parseLossless(text).lossless);
