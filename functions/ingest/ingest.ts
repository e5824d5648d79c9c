import type * as z from "zod";
import type { ingestAnswer, verdict as verdictSchema } from "../core/answer.ts";
import type { Clock, EventQueue } from "../core/ports.ts";
import { decode } from "./decode.ts";
import { type Packed, pack, packWhole } from "./pack.ts";
import { type Valid, type Validated, type ValidateDeps, validate } from "./validate.ts";

export type IngestRequest = {
  tenant: string;
  /** Names in lower case. */
  headers: Record<string, string | undefined>;
  /** Whether the body's content encoding is undone already. */
  inflated: boolean;
  /** Answer the verdicts and queue nothing. */
  validateOnly: boolean;
  body: Uint8Array;
  /** When the answer must be ready, ms since the epoch. */
  deadline: number;
};

/** What became of one event; the same wherever in a request it stood. */
export type Verdict = z.output<typeof verdictSchema>;

export type IngestResult = z.output<typeof ingestAnswer> & {
  /** `stored`: every event. `partly`: some. `invalid`: none was valid. `unavailable`: the queue took none. */
  kind: "stored" | "partly" | "invalid" | "unavailable";
};

export type IngestDeps = ValidateDeps & { queue: EventQueue; clock: Clock };

/**
 * The rule of the door: decode, judge each event by itself, pack the valid ones, and answer only after the queue has
 * stored them. An event is `accepted` if and only if the queue confirmed the message it is in.
 */
export function createIngest(deps: IngestDeps) {
  /** @throws RequestError when the body as a whole cannot be read */
  return async function ingest(request: IngestRequest): Promise<IngestResult> {
    const receivedAt = deps.clock().toISOString();
    const { candidates, list } = decode(request.headers, request.body, request.inflated);
    const judged = candidates.map((each) => validate(each, receivedAt, deps));
    const { firsts, copies } = separateCopies(judged);
    const messages = packAll(firsts, firsts.length === judged.length ? list : undefined, request.tenant, receivedAt);
    const outgoing = messages.map(({ body }) => ({ body, group: request.tenant }));
    const outcomes = request.validateOnly
      ? messages.map(() => "enqueued")
      : await deps.queue.send(outgoing, request.deadline);
    const refused = new Set(messages.flatMap(({ indexes }, i) => (outcomes[i] === "enqueued" ? [] : indexes)));
    return summarize(judged.map((each, index) => verdict(each, index, copies, refused)));
  };
}

/** Valid events that are no copies, with their places in the request. */
type First = { index: number; valid: Valid };

/** @param list the events as the request had them, where it had no others: if they travel as sent, nothing is written anew */
function packAll(firsts: First[], list: string | undefined, tenant: string, receivedAt: string): Packed[] {
  if (list !== undefined && firsts.every(({ valid }) => valid.asSent)) {
    const indexes = firsts.map(({ index }) => index);
    const whole = packWhole({ list, indexes }, tenant, receivedAt);
    if (whole !== undefined) return [whole];
  }
  const events = firsts.map(({ index, valid }) => ({ index, json: valid.json() }));
  return pack(events, tenant, receivedAt);
}

/** The valid events without second copies, and for each copy the place of its first. */
function separateCopies(judged: Validated[]): { firsts: First[]; copies: Map<number, number> } {
  const all: First[] = [];
  for (const [index, each] of judged.entries()) if (each.kind === "valid") all.push({ index, valid: each });
  const copies = new Map<number, number>();
  // Where no id comes twice, no id and source do.
  if (new Set(all.map(({ valid }) => valid.event.id)).size === all.length) return { firsts: all, copies };
  const seen = new Map<string, number>();
  const firsts = all.filter(({ index, valid }) => {
    const key = JSON.stringify([valid.event.source, valid.event.id]);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, index);
    else copies.set(index, first);
    return first === undefined;
  });
  return { firsts, copies };
}

function verdict(each: Validated, index: number, copies: Map<number, number>, refused: Set<number>): Verdict {
  if (each.kind === "invalid") {
    return { index, ...(each.id !== undefined && { id: each.id }), status: "invalid", errors: each.errors };
  }
  const first = copies.get(index);
  if (refused.has(first ?? index)) return { index, id: each.event.id, status: "retry" };
  return { index, id: each.event.id, status: first === undefined ? "accepted" : "duplicate" };
}

function summarize(results: Verdict[]): IngestResult {
  const counts = { accepted: 0, invalid: 0, duplicate: 0, retry: 0 };
  for (const { status } of results) counts[status] += 1;
  const { accepted, invalid, retry } = counts;
  const rejected = invalid + retry;
  const kind = rejected === 0 ? "stored" : accepted > 0 ? "partly" : retry > 0 ? "unavailable" : "invalid";
  return { kind, accepted, rejected, results };
}
