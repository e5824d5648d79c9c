import type * as z from "zod";
import type { ingestAnswer, verdict as verdictSchema } from "../core/answer.ts";
import type { Clock, EventQueue } from "../core/ports.ts";
import { decode } from "./decode.ts";
import { pack } from "./pack.ts";
import { type Validated, type ValidateDeps, validate } from "./validate.ts";

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
    const judged = decode(request.headers, request.body, request.inflated).map((each) =>
      validate(each, receivedAt, deps),
    );
    const { firsts, copies } = separateCopies(judged);
    const messages = pack(firsts, request.tenant, receivedAt);
    const outgoing = messages.map(({ body }) => ({ body, group: request.tenant }));
    const outcomes = request.validateOnly
      ? messages.map(() => "stored")
      : await deps.queue.send(outgoing, request.deadline);
    const refused = new Set(messages.flatMap(({ indexes }, i) => (outcomes[i] === "stored" ? [] : indexes)));
    return summarize(judged.map((each, index) => verdict(each, index, copies, refused)));
  };
}

/** The valid events without second copies, and for each copy the place of its first. */
function separateCopies(judged: Validated[]) {
  const seen = new Map<string, number>();
  const copies = new Map<number, number>();
  const firsts: { index: number; json: string }[] = [];
  for (const [index, each] of judged.entries()) {
    if (each.kind === "invalid") continue;
    const key = JSON.stringify([each.event.source, each.event.id]);
    const first = seen.get(key);
    if (first !== undefined) {
      copies.set(index, first);
    } else {
      seen.set(key, index);
      firsts.push({ index, json: each.json });
    }
  }
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
  const count = (status: Verdict["status"]) => results.filter((each) => each.status === status).length;
  const accepted = count("accepted");
  const rejected = count("invalid") + count("retry");
  const kind = rejected === 0 ? "stored" : accepted > 0 ? "partly" : count("retry") > 0 ? "unavailable" : "invalid";
  return { kind, accepted, rejected, results };
}
