import { readFileSync } from "node:fs";
import { type Event, event } from "../../functions/core/event.ts";
import { cloudEvent } from "../../functions/core/event-forms.ts";
import { toPointer } from "../../functions/core/json-pointer.ts";
import { isRawNumber, parseLossless } from "../../functions/core/lossless-json.ts";
import { findUnstorable } from "../../functions/core/storable.ts";
import type { DeadLetter, LetterEvent } from "./dead-letter.ts";
import { LETTER_MEMBER } from "./event-line.ts";

export type Edits = {
  /** What a letter's event is to become; undefined where the file does not have it. */
  find(letter: DeadLetter, event: LetterEvent): Event | undefined;
  /** The lines that no letter asked for, as `file:line source id`. */
  unused(): string[];
};

/** Bad lines that are told at once. */
const MAX_TOLD = 20;

/**
 * Reads corrected events, one a line, as `dead-letters export` writes them. They are known by their tenant (if the line
 * has one), source and id, which therefore cannot be corrected.
 * @throws Error that names each bad line, or the file that is missing
 */
export function readEdits(file: string): Edits {
  const lines = readFileSync(file, "utf8").split("\n");
  const faults: string[] = [];
  const edits = new Map<string, { line: number; event: Event; json: string; used: boolean }>();
  for (const [index, text] of lines.entries()) {
    if (text.trim() === "") continue;
    const where = `${file}:${index + 1}`;
    const read = readLine(text);
    if ("fault" in read) {
      faults.push(`${where} ${read.fault}`);
      continue;
    }
    const json = JSON.stringify(read.event);
    const name = nameOf(read.tenant, read.event);
    const before = edits.get(name);
    if (before !== undefined && before.json !== json)
      faults.push(`${where} says of the event ${read.event.id} other than line ${before.line}`);
    edits.set(name, before ?? { line: index + 1, event: read.event, json, used: false });
  }
  if (faults.length > 0) throw new Error(tell(faults));
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

type ReadLine = { event: Event; tenant: string | undefined } | { fault: string };

function readLine(text: string): ReadLine {
  let exact: unknown;
  try {
    ({ lossless: exact } = parseLossless(text));
  } catch (error) {
    return { fault: `is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (typeof exact !== "object" || exact === null || Array.isArray(exact) || isRawNumber(exact))
    return { fault: "is no JSON object; write one event a line" };
  const { [LETTER_MEMBER]: letter, ...members } = exact as Record<string, unknown>;
  const unstorable = findUnstorable(members);
  if (unstorable !== undefined) return { fault: `${unstorable.path} ${unstorable.message}` };
  // The door's rules for an event first, then those of one that travels: together they are all but the catalog's.
  const sent = cloudEvent.safeParse({ specversion: "1.0", ...members });
  const [fault] = sent.error?.issues ?? [];
  if (fault !== undefined) return { fault: `${toPointer(fault.path)} ${fault.message}` };
  const travelling = event.safeParse(toTravelling(members));
  const [other] = travelling.error?.issues ?? [];
  if (other !== undefined) {
    // Of a bad name zod says that the key is bad, and why one level below.
    const why = other.code === "invalid_key" ? other.issues[0]?.message : other.message;
    return { fault: `${toPointer(other.path.filter((step) => step !== "extensions"))} ${why}` };
  }
  return { event: travelling.data as Event, tenant: (letter as { tenant?: string } | undefined)?.tenant };
}

/** Members that are no attribute of an event are extension attributes. */
function toTravelling(members: Record<string, unknown>): Record<string, unknown> {
  const own = (name: string) => name !== "extensions" && Object.hasOwn(event.shape, name);
  const extensions = Object.entries(members).filter(([name]) => !own(name) && name !== "specversion");
  return {
    ...Object.fromEntries(Object.entries(members).filter(([name]) => own(name))),
    ...(extensions.length > 0 && { extensions: Object.fromEntries(extensions) }),
  };
}

function nameOf(tenant: string | undefined, { source, id }: Pick<LetterEvent, "source" | "id">): string {
  return JSON.stringify([tenant, source, id]);
}

function tell(faults: string[]): string {
  const more = faults.length > MAX_TOLD ? [`and ${faults.length - MAX_TOLD} more`] : [];
  return [...faults.slice(0, MAX_TOLD), ...more, "Nothing was replayed."].join("\n");
}
