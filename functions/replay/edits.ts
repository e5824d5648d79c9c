import { type Event, event } from "../core/event.ts";
import { cloudEvent } from "../core/event-forms.ts";
import { jsonPointer } from "../core/json-pointer.ts";
import { isJsonObject, parseLossless } from "../core/lossless-json.ts";
import { findUnstorable } from "../core/find-unstorable.ts";
import type { DeadLetterEvent, DeadLetterMessage } from "./dead-letter-message.ts";
import { DEAD_LETTER_MEMBER } from "./event-line.ts";

export type Edits = {
  /** The corrected form of a message's event; undefined when there is none. */
  find(message: DeadLetterMessage, event: DeadLetterEvent): Event | undefined;
  /** The lines that were never found, as `file:line source id`. */
  unused(): string[];
};

/** Bad lines that one error lists. */
const MAX_LISTED = 20;

/**
 * Parses corrected events, one a line, as `toEventLine` writes them. Tenant (where the line has one), source and id
 * identify the event, so they cannot be corrected. `file` names the text in errors.
 * @throws Error that names each bad line
 */
export function parseEdits(text: string, file: string): Edits {
  const faults: string[] = [];
  const edits = new Map<string, { line: number; event: Event; json: string; used: boolean }>();
  for (const [index, lineText] of text.split("\n").entries()) {
    if (lineText.trim() === "") continue;
    const where = `${file}:${index + 1}`;
    const read = parseLine(lineText);
    if ("fault" in read) {
      faults.push(`${where} ${read.fault}`);
      continue;
    }
    const json = JSON.stringify(read.event);
    const name = nameOf(read.tenant, read.event);
    const before = edits.get(name);
    if (before !== undefined && before.json !== json)
      faults.push(`${where} has another content for the event ${read.event.id} than line ${before.line}`);
    edits.set(name, before ?? { line: index + 1, event: read.event, json, used: false });
  }
  if (faults.length > 0) throw new Error(list(faults));
  return {
    find({ tenant }, wanted) {
      const found = edits.get(nameOf(tenant, wanted)) ?? edits.get(nameOf(undefined, wanted));
      if (found !== undefined) found.used = true;
      return found?.event;
    },
    unused: () =>
      [...edits.values()]
        .filter(({ used }) => !used)
        .map(({ line, event: { source, id } }) => `${file}:${line} ${source} ${id}`),
  };
}

type ParsedLine = { event: Event; tenant: string | undefined } | { fault: string };

function parseLine(text: string): ParsedLine {
  let parsed: unknown;
  try {
    parsed = parseLossless(text).lossless;
  } catch (error) {
    return { fault: `is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (!isJsonObject(parsed)) return { fault: "is not a JSON object; write one event a line" };
  const { [DEAD_LETTER_MEMBER]: facts, ...members } = parsed;
  const unstorable = findUnstorable(members);
  if (unstorable !== undefined) return { fault: `${unstorable.path} ${unstorable.message}` };
  // The rules of ingest, then those of the envelope: together they are all rules but the catalog's.
  const sent = cloudEvent().safeParse({ specversion: "1.0", ...members });
  const [fault] = sent.error?.issues ?? [];
  if (fault !== undefined) return { fault: `${jsonPointer(fault.path)} ${fault.message}` };
  const enveloped = event.safeParse(toEnveloped(members));
  const [other] = enveloped.error?.issues ?? [];
  if (other !== undefined) {
    // For a bad name zod reports a bad key, and the cause one level below.
    const why = other.code === "invalid_key" ? other.issues[0]?.message : other.message;
    return { fault: `${jsonPointer(other.path.filter((step) => step !== "extensions"))} ${why}` };
  }
  return { event: enveloped.data as Event, tenant: (facts as { tenant?: string } | undefined)?.tenant };
}

/** The event as an envelope holds it: members that are no attribute of an event are extension attributes. */
function toEnveloped(members: Record<string, unknown>): Record<string, unknown> {
  const isOwn = (name: string) => name !== "extensions" && Object.hasOwn(event.shape, name);
  const extensions = Object.entries(members).filter(([name]) => !isOwn(name) && name !== "specversion");
  return {
    ...Object.fromEntries(Object.entries(members).filter(([name]) => isOwn(name))),
    ...(extensions.length > 0 && { extensions: Object.fromEntries(extensions) }),
  };
}

function nameOf(tenant: string | undefined, { source, id }: Pick<DeadLetterEvent, "source" | "id">): string {
  return JSON.stringify([tenant, source, id]);
}

function list(faults: string[]): string {
  const more = faults.length > MAX_LISTED ? [`and ${faults.length - MAX_LISTED} more`] : [];
  return [...faults.slice(0, MAX_LISTED), ...more, "Nothing was replayed."].join("\n");
}
