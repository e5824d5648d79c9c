import type * as z from "zod";
import type { ingestAnswer, verdict as verdictSchema } from "../core/answer.ts";
import { type EnvelopeHead, packEvents } from "../core/envelope.ts";
import type { Clock, EventQueue } from "../core/ports.ts";
import type { Decoded } from "./candidate.ts";
import { type SchemaFailure, type Valid, type Validated, type ValidateDeps, validate } from "./validate.ts";
import { packVerbatim, toJson } from "./verbatim.ts";

export type IngestRequest = {
  tenant: string;
  /** The events as a protocol has read them. */
  decoded: Decoded;
  /** Answer the verdicts and queue nothing. */
  validateOnly: boolean;
  /** Time by which the answer must be ready, ms since the epoch. */
  deadline: number;
};

/** The verdict about one event, which does not depend on the events around it. */
export type Verdict = z.output<typeof verdictSchema>;

export type IngestResult = z.output<typeof ingestAnswer> & {
  /** `enqueued`: every event. `partly`: some events. `invalid`: no event was valid. `unavailable`: the queue confirmed none. */
  kind: "enqueued" | "partly" | "invalid" | "unavailable";
};

export type IngestDeps = ValidateDeps & {
  queue: EventQueue;
  clock: Clock;
  /** Gets the first failure of each schema in a request. */
  onSchemaFailure: (failure: SchemaFailure) => void;
};

/**
 * Checks each event by itself, packs the valid ones, and answers after the queue has confirmed them. An event is `accepted`
 * if and only if the queue confirmed its message.
 */
export function createIngest(deps: IngestDeps) {
  return async function ingest(request: IngestRequest): Promise<IngestResult> {
    const head = { tenant: request.tenant, receivedAt: deps.clock().toISOString() };
    const { candidates, verbatimList } = request.decoded;
    const validated = candidates.map((each) => validate(each, head, deps));
    for (const failure of firstFailures(validated)) deps.onSchemaFailure(failure);
    const { firsts, copies } = separateCopies(validated);
    const list = firsts.length === validated.length ? verbatimList : undefined;
    const messages = packAll(firsts, list, head);
    const outgoing = messages.map(({ body }) => ({ body, group: request.tenant }));
    const outcomes = request.validateOnly
      ? messages.map(() => "enqueued")
      : await deps.queue.send(outgoing, request.deadline);
    const unconfirmed = new Set(
      messages.flatMap(({ events }, i) => (outcomes[i] === "enqueued" ? [] : events.map(({ index }) => index))),
    );
    return summarize(validated.map((each, index) => verdict(each, index, copies, unconfirmed)));
  };
}

/** The first failure of each file, because one schema may fail on every event of a request. */
function firstFailures(validated: Validated[]): Iterable<SchemaFailure> {
  const byFile = new Map<string, SchemaFailure>();
  for (const each of validated) {
    if (each.kind === "valid" || each.failure === undefined || byFile.has(each.failure.file)) continue;
    byFile.set(each.failure.file, each.failure);
  }
  return byFile.values();
}

/** A valid event that is no copy, with its place in the request. */
type First = { index: number; valid: Valid };

/** A message body and the events in it. */
type Packed = { body: string; events: First[] };

/** @param list the text of exactly these events, if it may travel verbatim */
function packAll(firsts: First[], list: string | undefined, head: EnvelopeHead): Packed[] {
  const body = packVerbatim(list, firsts, head);
  if (body !== undefined) return [{ body, events: firsts }];
  return packEvents(firsts, head, ({ valid }) => toJson(valid));
}

/** Returns the valid events without second copies, and for each copy the place of the first. */
function separateCopies(validated: Validated[]): { firsts: First[]; copies: Map<number, number> } {
  const all: First[] = [];
  for (const [index, each] of validated.entries()) if (each.kind === "valid") all.push({ index, valid: each });
  const copies = new Map<number, number>();
  // If no id is there twice, no pair of id and source is.
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

function verdict(each: Validated, index: number, copies: Map<number, number>, unconfirmed: Set<number>): Verdict {
  if (each.kind === "invalid") {
    return { index, ...(each.id !== undefined && { id: each.id }), status: "invalid", errors: each.errors };
  }
  const first = copies.get(index);
  const status = unconfirmed.has(first ?? index) ? "retry" : first === undefined ? "accepted" : "duplicate";
  return { index, id: each.event.id, status, ...(each.isUnchecked && { unchecked: true }) };
}

function summarize(results: Verdict[]): IngestResult {
  const counts = { accepted: 0, invalid: 0, duplicate: 0, retry: 0 };
  for (const { status } of results) counts[status] += 1;
  const { accepted, invalid, retry } = counts;
  const rejected = invalid + retry;
  const kind = rejected === 0 ? "enqueued" : accepted > 0 ? "partly" : retry > 0 ? "unavailable" : "invalid";
  return { kind, accepted, rejected, results };
}
