import { RequestError } from "../../core/errors.ts";
import { REQUEST_MAX_EVENTS } from "../../core/limits.ts";
import { parseLossless } from "../../core/lossless-json.ts";
import type { Candidate } from "./candidate.ts";

type Form = "plain" | "cloudevent";

/** One event object, or an array of them. @throws RequestError `malformed_body`, `too_many_events` */
export function decodeOneOrMany(text: string, form: Form): Candidate[] {
  const { value, exact } = parse(text);
  return Array.isArray(value) ? members(value, exact, form) : [{ kind: "event", form, value, exact }];
}

/** Exactly one event. @throws RequestError `malformed_body` */
export function decodeOne(text: string, form: Form): Candidate[] {
  const { value, exact } = parse(text);
  if (Array.isArray(value)) {
    throw new RequestError("malformed_body", "The body is an array. Send one event, or the content type of a batch.");
  }
  return [{ kind: "event", form, value, exact }];
}

/** An array of events. @throws RequestError `malformed_body` */
export function decodeMany(text: string, form: Form): Candidate[] {
  const { value, exact } = parse(text);
  if (!Array.isArray(value)) {
    throw new RequestError("malformed_body", "The body is not an array. A batch is an array of events.");
  }
  return members(value, exact, form);
}

/** One event a line; empty lines do not count. A line that is not JSON is the fault of that event alone. */
export function decodeLines(text: string): Candidate[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  checkCount(lines.length);
  return lines.map((line): Candidate => {
    try {
      return { kind: "event", form: "plain", ...parseLossless(line) };
    } catch (error) {
      return {
        kind: "unreadable",
        fault: { path: "", code: "malformed_json", message: `is not JSON${position(error)}` },
      };
    }
  });
}

/** @throws RequestError `malformed_body` */
export function parse(text: string): { value: unknown; exact: unknown } {
  try {
    return parseLossless(text);
  } catch (cause) {
    if (cause instanceof RangeError) throw new RequestError("malformed_body", TOO_DEEP, { cause });
    const detail =
      text.trim() === ""
        ? "The body is empty. Send an event or an array of events."
        : `The body is not JSON${position(cause)}.`;
    throw new RequestError("malformed_body", detail, { cause });
  }
}

const TOO_DEEP = "The body is nested thousands of levels deep. Flatten it.";

function members(value: unknown[], exact: unknown, form: Form): Candidate[] {
  checkCount(value.length);
  return value.map((each, index) => ({ kind: "event", form, value: each, exact: (exact as unknown[])[index] }));
}

/** Before the events are looked at one by one. @throws RequestError `too_many_events`, `malformed_body` for none */
function checkCount(events: number): void {
  if (events === 0) throw new RequestError("malformed_body", "The body has no event. Send at least one.");
  if (events <= REQUEST_MAX_EVENTS) return;
  throw new RequestError(
    "too_many_events",
    `The body has ${events} events, at most ${REQUEST_MAX_EVENTS} are allowed. Split them over several requests.`,
  );
}

/** Where the text goes wrong, without quoting it. */
function position(error: unknown): string {
  return error instanceof SyntaxError ? (/ at position \d+/.exec(error.message)?.[0] ?? "") : "";
}
