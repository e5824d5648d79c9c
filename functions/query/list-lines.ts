import type { EventLines } from "../core/event-lines.ts";
import { DatabaseError, RequestError } from "../core/errors.ts";
import {
  LINES_MAX_BYTES,
  LINES_READ_MS,
  LIST_MAX_EVENTS,
  LIST_PAGE_MAX_BYTES,
  LIST_PAGE_MS,
} from "../core/list-limits.ts";
import type { Clock } from "../core/ports.ts";
import type { createList, ListPage, ListRequest } from "./list.ts";

export type LinesRequest = Omit<ListRequest, "limit"> & {
  /** Events of the answer. @default as many as an answer holds */
  limit: number | undefined;
  lines: EventLines;
};

/** Lines of events and the facts of their pages together. */
export type LinesAnswer = Omit<ListPage, "events" | "direction"> & { text: string };

/**
 * Lists events as lines: pages one after the other, until the list ends, the answer has `limit` events or is full, or the
 * time for reading is over. The next answer goes on where this one ends.
 */
export function createListLines({
  list,
  clock,
  maxBytes = LINES_MAX_BYTES,
}: {
  list: ReturnType<typeof createList>;
  clock: Clock;
  /** Of the text, as JSON escapes it. @default LINES_MAX_BYTES */
  maxBytes?: number;
}) {
  /** @throws as `list`; RequestError `bad_parameter` where a single line is larger than an answer */
  return async function listLines({ lines, limit, ...request }: LinesRequest): Promise<LinesAnswer> {
    const until = Math.min(clock().getTime() + LINES_READ_MS, request.deadline - LIST_PAGE_MS);
    let room = maxBytes - sizeOf(lines.head);
    let left = limit ?? Number.POSITIVE_INFINITY;
    const first = await readFirst();
    const texts = [textOf(first)];
    let [last, plan, scanned, isInTime] = [first, first.plan, first.scanned, true];

    for (;;) {
      room -= sizeOf(texts.at(-1) ?? "");
      left -= last.events.length;
      const cursor = last[last.direction];
      if (cursor === null || left === 0 || room < LIST_PAGE_MAX_BYTES) break;
      isInTime = clock().getTime() <= until;
      if (!isInTime) break;
      const page = await list({ ...request, cursor, limit: Math.min(left, LIST_MAX_EVENTS) }).catch(endWhereBusy);
      isInTime = page !== undefined;
      if (page === undefined) break;
      const text = textOf(page);
      // Lines of CSV may be longer than the page that they are made of: then it belongs to the next answer.
      if (sizeOf(text) > room) break;
      texts.push(text);
      scanned += page.scanned;
      if (page.plan === "scan") plan = page.plan;
      last = page;
    }
    const isForwards = first.direction === "next";
    return {
      text: lines.head + (isForwards ? texts : texts.toReversed()).join(""),
      next: (isForwards ? last : first).next,
      prev: (isForwards ? first : last).prev,
      isComplete: last.isComplete && isInTime,
      plan,
      scanned,
      count: first.count,
    };

    function textOf({ events }: ListPage): string {
      return events.map(lines.line).join("");
    }

    /** The first page, or so much of it as fits: a selection may name a large member again and again. */
    async function readFirst(): Promise<ListPage> {
      const first = await list({ ...request, limit: Math.min(left, LIST_MAX_EVENTS) });
      if (sizeOf(textOf(first)) <= room) return first;
      const inOrder = first.direction === "next" ? first.events : first.events.toReversed();
      let [fitting, bytes] = [0, 0];
      for (const event of inOrder) {
        bytes += sizeOf(lines.line(event));
        if (bytes > room) break;
        fitting += 1;
      }
      if (fitting === 0) throw new RequestError("bad_parameter", TOO_LARGE);
      return list({ ...request, limit: fitting });
    }
  };
}

/** A page that is to be asked for again later ends the answer, whose cursor goes on there. */
function endWhereBusy(error: unknown): undefined {
  const isPassing =
    error instanceof DatabaseError
      ? error.isOutage
      : error instanceof RequestError && error.code === "too_many_queries";
  if (!isPassing) throw error;
}

/** The bytes of a text within a string of JSON, which is how Lambda hands an answer over. */
const sizeOf = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;

const TOO_LARGE = "select makes one line larger than an answer may be. Name fewer members, or each of them once.";
