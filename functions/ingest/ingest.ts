import type * as z from "zod";
import type { ingestAnswer, verdict as verdictSchema } from "../core/answer.ts";
import { type EnvelopeHead, packEvents } from "../core/envelope.ts";
import type { Grant, Limiter } from "../core/limiter.ts";
import { toMessageBody } from "../core/message-text.ts";
import type { SendOutcome } from "../core/ports.ts";
import type { Clock, EventQueue } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import type { Policy } from "../core/rate-limit-fields.ts";
import { createRetentionOf, type Retention, type RetentionOf } from "../core/retention.ts";
import type { RequestTrace } from "../core/trace.ts";
import { onlyAllowed } from "./allowed.ts";
import type { Candidate } from "../core/candidate.ts";
import { decodeOrNote, noteInvalid } from "./note-refused.ts";
import { NO_REFUSALS, type Refusals } from "./refusals.ts";
import type { Numbered, Numbering } from "./number-events.ts";
import { haveSameContent } from "./same-content.ts";
import { type SchemaFailure, type Valid, type Validated, type ValidateDeps, validate } from "../core/validate.ts";
import { toJson } from "../core/verbatim.ts";

export type IngestRequest = {
  /** The caller: the owner of the events, and the limits. */
  principal: Principal;
  /** Reads the events as a protocol has them. It throws RequestError for a request without any that can be read. */
  decode: () => Candidate[];
  /** Answer the verdicts and enqueue nothing. */
  validateOnly: boolean;
  /** A limit lets all events pass or none: for clients that send the whole request again. */
  isWhole: boolean;
  /** Time by which the answer must be ready, ms since the epoch. */
  deadline: number;
  requestId: string;
  userAgent: string | undefined;
  trace?: RequestTrace | undefined;
};

/** The verdict about one event. */
export type Verdict = z.output<typeof verdictSchema>;

export type IngestResult = z.output<typeof ingestAnswer> & {
  /**
   * `enqueued`: every event. `partly`: some events. `invalid`: no event was valid. `limited`: a limit let none pass.
   * `unavailable`: the queue confirmed none.
   */
  kind: "enqueued" | "partly" | "invalid" | "limited" | "unavailable";
  /** The limits of events that the caller has; undefined without any, and where nothing was to be sent. */
  limits: { policies: readonly Policy[]; isLocal: boolean; refused: number } | undefined;
};

export type IngestDeps = ValidateDeps & {
  queue: EventQueue;
  limiter: Pick<Limiter, "takeEvents">;
  /** Gets what is refused, unless it is only validated. */
  refusals: Refusals;
  numbering: Numbering;
  /** The retention of events whose type names none. */
  retention: Retention;
  clock: Clock;
  /** Gets the first failure of each schema in a request. */
  onSchemaFailure: (failure: SchemaFailure) => void;
};

/**
 * Checks each event by itself, numbers and packs the valid ones, and answers after the queue has confirmed them. An event is `accepted`
 * if and only if the queue confirmed its message. Of several events with one key the first counts: an equal one is its
 * `duplicate`, and one with other content is `invalid`, because the database would keep the first and drop it.
 */
export function createIngest(deps: IngestDeps) {
  const retentionOf = createRetentionOf(deps.catalog, deps.retention);
  return async function ingest(request: IngestRequest): Promise<IngestResult> {
    const { tenant, keyId } = request.principal;
    const { own: traceparent, sent: eventTraceparent } = request.trace ?? {};
    const head = { tenant, receivedAt: deps.clock().toISOString(), traceparent, eventTraceparent };
    const refusals = request.validateOnly ? NO_REFUSALS : deps.refusals;
    const { requestId, userAgent } = request;
    const sent = { tenant, at: head.receivedAt, keyId, requestId, userAgent };
    const candidates = await decodeOrNote(refusals, sent, request);
    const judged = onlyAllowed(
      candidates.map((each) => validate(each, head, deps)),
      request.principal,
    );
    for (const failure of firstFailures(judged)) deps.onSchemaFailure(failure);
    const { validated, firsts, copies } = separateCopies(judged, candidates);
    const grant = await takeTokens(deps.limiter, request, firsts.length);
    const passing = grant === undefined ? firsts : firsts.slice(0, grant.granted);
    const numbered =
      request.validateOnly || passing.length === 0 ? undefined : deps.numbering.take(tenant, passing.length);
    const messages = packAll(passing, { ...head, ...numbered?.head }, retentionOf);
    noteInvalid(refusals, sent, validated, candidates);
    const [outcomes] = await Promise.all([
      request.validateOnly
        ? messages.map((): SendOutcome => "enqueued")
        : deps.queue.send(
            messages.map(({ text }) => ({ body: toMessageBody(text), group: tenant })),
            request.deadline,
          ),
      refusals.send(request.deadline),
    ]);
    if (numbered !== undefined) confirm(numbered, messages, outcomes);
    const toSendAgain = new Set<number>();
    for (const [i, { events }] of messages.entries()) {
      if (outcomes[i] !== "enqueued") for (const { index } of events) toSendAgain.add(index);
    }
    const unconfirmed = toSendAgain.size;
    await Promise.all([grant?.giveBack(unconfirmed), request.validateOnly ? undefined : deps.numbering.note()]);
    const limited = firsts.slice(passing.length);
    for (const { index } of limited) toSendAgain.add(index);
    const verdictOf = { candidates, copies, toSendAgain };
    const answer = summarize(validated.map((each, index) => verdict(each, index, verdictOf)));
    const kind = answer.kind === "unavailable" && unconfirmed === 0 ? "limited" : answer.kind;
    const limits = grant && { policies: grant.policies, isLocal: grant.isLocal, refused: limited.length };
    return { ...answer, kind, limits };
  };
}

/** Takes the tokens of the events that are about to be sent: copies and invalid events need none. */
async function takeTokens(
  limiter: IngestDeps["limiter"],
  { principal, validateOnly, isWhole }: IngestRequest,
  events: number,
): Promise<Grant | undefined> {
  return validateOnly || events === 0 ? undefined : limiter.takeEvents(principal, events, { isWhole });
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

/** The text of a message, and the events in it. */
type Packed = { text: string; events: First[] };

/** Packs events into messages, each of one retention class. Their numbers follow the order of the messages. */
function packAll(firsts: First[], head: EnvelopeHead, retentionOf: RetentionOf): Packed[] {
  const classes = Map.groupBy(firsts, ({ valid }) => retentionOf(valid.event.type));
  let { sequence } = head;
  return [...classes].flatMap(([retention, events]) => {
    const messages = packEvents(events, { ...head, sequence, retention }, ({ valid }) => toJson(valid));
    if (sequence !== undefined) sequence += events.length;
    return messages;
  });
}

/** Confirms the numbers of the messages that are enqueued. Those of another message may be in the queue too, and stay a hole. */
function confirm({ head: { sequence }, confirmed }: Numbered, messages: Packed[], outcomes: SendOutcome[]): void {
  let first = sequence;
  for (const [i, { events }] of messages.entries()) {
    if (outcomes[i] === "enqueued") confirmed(first, first + events.length - 1);
    first += events.length;
  }
}

type Separated = {
  /** The events, those with other content under the key of an event before them invalid. */
  validated: Validated[];
  /** The valid events that are no copy. */
  firsts: First[];
  /** For each equal copy the place of the first. */
  copies: Map<number, number>;
};

function separateCopies(validated: Validated[], candidates: readonly Candidate[]): Separated {
  const all: First[] = [];
  for (const [index, each] of validated.entries()) if (each.kind === "valid") all.push({ index, valid: each });
  const copies = new Map<number, number>();
  // If no id is there twice, no pair of id and source is.
  if (new Set(all.map(({ valid }) => valid.event.id)).size === all.length) return { validated, firsts: all, copies };
  const firsts = new Map<string, First>();
  const judged = [...validated];
  for (const each of all) {
    const { index, valid } = each;
    const key = JSON.stringify([valid.event.source, valid.event.id]);
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, each);
    else if (haveSameContent(first.valid.event, valid.event)) copies.set(index, first.index);
    else judged[index] = conflict(valid, placeOf(candidates, first.index));
  }
  return { validated: judged, firsts: [...firsts.values()], copies };
}

function conflict({ event }: Valid, first: string): Validated {
  const message = `is the id of the event ${first}, from the same source and with other content; send this one under an id of its own`;
  return { kind: "invalid", id: event.id, errors: [{ path: "/id", code: "id_conflict", message }] };
}

/** The place of an event as its sender counts: its line in NDJSON, else its index. */
function placeOf(candidates: readonly Candidate[], index: number): string {
  const line = candidates[index]?.line;
  return line === undefined ? `at index ${index}` : `in line ${line}`;
}

/** The facts that decide a verdict beside the checks: the copies, the first of each, and the events to send again. */
type Decided = { candidates: readonly Candidate[]; copies: Map<number, number>; toSendAgain: Set<number> };

function verdict(each: Validated, index: number, { candidates, copies, toSendAgain }: Decided): Verdict {
  const line = candidates[index]?.line;
  const place = line === undefined ? { index } : { index, line };
  if (each.kind === "invalid") {
    return { ...place, ...(each.id !== undefined && { id: each.id }), status: "invalid", errors: each.errors };
  }
  const first = copies.get(index);
  const status = toSendAgain.has(first ?? index) ? "retry" : first === undefined ? "accepted" : "duplicate";
  return { ...place, id: each.event.id, status, ...(each.isUnchecked && { unchecked: true }) };
}

function summarize(results: Verdict[]): Pick<IngestResult, "kind" | "accepted" | "rejected" | "results"> {
  const counts = { accepted: 0, invalid: 0, duplicate: 0, retry: 0 };
  for (const { status } of results) counts[status] += 1;
  const { accepted, invalid, retry } = counts;
  const rejected = invalid + retry;
  const kind = rejected === 0 ? "enqueued" : accepted > 0 ? "partly" : retry > 0 ? "unavailable" : "invalid";
  return { kind, accepted, rejected, results };
}
