import { writeEnvelope } from "../core/envelope.ts";
import { type EventError, RequestError } from "../core/errors.ts";
import { MESSAGE_MAX_BYTES } from "../core/queue-limits.ts";
import { isJsonObject, parseLossless } from "../core/lossless-json.ts";
import { matchesAny } from "../core/patterns.ts";
import type { AllowedEvents } from "../core/ports.ts";
import type { EditableDeadLetter, ReplayEdit } from "../core/replay-job.ts";
import { validate, type ValidateDeps } from "../core/validate.ts";

/** A corrected event: with doubles for the checks, and with all digits of its numbers. */
export type SentEdit = { id: string; event: Record<string, unknown>; lossless: Record<string, unknown> };

/** Faults that one answer names; the others come to light with the next request. */
const MAX_NAMED = 20;

/** Reads the corrected events of a body that `readBody` has accepted, once more with their digits. */
export function readEdits(
  edits: readonly { id: string; event: Record<string, unknown> }[],
  body: Uint8Array,
): SentEdit[] {
  const { lossless } = parseLossless(new TextDecoder().decode(body));
  const all = isJsonObject(lossless) && Array.isArray(lossless["edits"]) ? (lossless["edits"] as unknown[]) : [];
  return edits.map(({ id, event }, index) => {
    const sent = all[index];
    const member = isJsonObject(sent) ? sent["event"] : undefined;
    return { id, event, lossless: isJsonObject(member) ? member : event };
  });
}

/**
 * Checks corrected events as ingest checks events, and writes the messages that are sent in place of their dead letters'.
 * @param found the open dead letters among them that the caller sees
 * @throws RequestError `bad_edits` that names each bad one, and what to do
 */
export function checkEdits(
  edits: readonly SentEdit[],
  found: readonly EditableDeadLetter[],
  { allowed, now, ...deps }: Omit<ValidateDeps, "newId"> & { allowed: AllowedEvents; now: Date },
): ReplayEdit[] {
  const byId = new Map(found.map((deadLetter) => [deadLetter.id, deadLetter]));
  const seen = new Set<string>();
  const faults: ({ index: number; id: string } & Fault)[] = [];
  const good = edits.flatMap((edit, index) => {
    const result = seen.has(edit.id)
      ? { fault: "is there twice; send one edit of it" }
      : check(edit, byId.get(edit.id), { ...deps, allowed, now });
    seen.add(edit.id);
    if (!("fault" in result)) return [result];
    faults.push({ index, id: edit.id, ...result });
    return [];
  });
  if (faults.length === 0) return good;
  const named = faults.slice(0, MAX_NAMED).map(({ index, id, fault }) => `edits.${index} (${id}) ${fault}`);
  const more = faults.length > MAX_NAMED ? `; and ${faults.length - MAX_NAMED} more` : "";
  throw new RequestError("bad_edits", `Nothing was replayed. ${named.join("; ")}${more}.`, {
    members: { edits: faults.slice(0, MAX_NAMED) },
  });
}

/** The fault of an edit for people; where its event is not valid, also its errors as a verdict has them. */
type Fault = { fault: string; errors?: EventError[] };

/** The edit as it is kept, or what is wrong with it. */
function check(
  { id, event, lossless }: SentEdit,
  deadLetter: EditableDeadLetter | undefined,
  { allowed, now, ...deps }: Omit<ValidateDeps, "newId"> & { allowed: AllowedEvents; now: Date },
): ReplayEdit | Fault {
  if (deadLetter === undefined)
    return { fault: "is no open dead letter; `GET /dead-letters` lists those that are open" };
  const { tenant, source, eventId, receivedAt, origin, traceparent, eventTraceparent } = deadLetter;
  if (!deadLetter.isEvent || tenant === undefined || source === undefined || eventId === undefined)
    return { fault: "is a whole message that cannot be read, so it has no event to correct; leave the edit out" };
  const fixed = { source, id: eventId };
  for (const [name, value] of Object.entries(fixed)) {
    if (event[name] !== undefined && event[name] !== value)
      return { fault: `has another ${name} than its dead letter; leave ${name} out, it cannot be corrected` };
  }
  const head = { tenant, receivedAt: receivedAt ?? now.toISOString(), ...origin, traceparent, eventTraceparent };
  const judged = validate(
    {
      kind: "event",
      form: event["specversion"] === undefined ? "plain" : "cloudevent",
      value: { ...event, ...fixed },
      lossless: { ...lossless, ...fixed },
    },
    head,
    { ...deps, newId: () => eventId },
  );
  if (judged.kind === "invalid") {
    const { errors } = judged;
    return {
      fault: errors.map(({ path, message }) => `${path === "" ? "the event" : path} ${message}`).join(", "),
      errors,
    };
  }
  if (!matchesAny(allowed.types, judged.event.type))
    return { fault: `/type ${judged.event.type} is not what the key may send` };
  const body = writeEnvelope(head, judged.event);
  if (Buffer.byteLength(body) > MESSAGE_MAX_BYTES) return { fault: "is too large for a message" };
  return { id, body };
}
