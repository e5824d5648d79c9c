import { RequestError } from "../../core/errors.ts";
import { EVENT_MAX_DEPTH, JSON_MAX_DEPTH, REQUEST_MAX_EVENTS, REQUEST_MAX_VALUES } from "../../core/limits.ts";
import { JsonLimitError, parseLossless } from "../../core/lossless-json.ts";
import type { Candidate } from "./candidate.ts";

type Form = "plain" | "cloudevent";

/** One event object, or an array of them. @throws RequestError `malformed_body`, `too_many_events`, `too_many_values` */
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
  let values = 0;
  return lines.map((line): Candidate => {
    try {
      const { value, exact, values: more } = parseLossless(line, REQUEST_MAX_VALUES);
      values += more;
      if (values > REQUEST_MAX_VALUES) throw new JsonLimitError("values");
      return { kind: "event", form: "plain", value, exact };
    } catch (error) {
      if (!(error instanceof JsonLimitError)) {
        return {
          kind: "unreadable",
          fault: { path: "", code: "malformed_json", message: `is not JSON${position(error)}` },
        };
      }
      if (error.limit === "values") throw tooManyValues(error);
      const message = `is nested deeper than ${EVENT_MAX_DEPTH} levels`;
      return { kind: "unreadable", fault: { path: "", code: "too_deep", message } };
    }
  });
}

/** @throws RequestError `malformed_body`, `too_many_values` */
export function parse(text: string): { value: unknown; exact: unknown } {
  try {
    return parseLossless(text, REQUEST_MAX_VALUES);
  } catch (cause) {
    if (cause instanceof JsonLimitError && cause.limit === "values") throw tooManyValues(cause);
    if (cause instanceof JsonLimitError) throw new RequestError("malformed_body", TOO_DEEP, { cause });
    const detail =
      text.trim() === ""
        ? "The body is empty. Send an event or an array of events."
        : `The body is not JSON${position(cause)}.`;
    throw new RequestError("malformed_body", detail, { cause });
  }
}

const TOO_DEEP = `The body is nested deeper than ${JSON_MAX_DEPTH} levels; an event may have ${EVENT_MAX_DEPTH}. Flatten it.`;

function tooManyValues(cause: unknown): RequestError {
  return new RequestError(
    "too_many_values",
    `The body has more than ${REQUEST_MAX_VALUES} values (members and elements). Split the events over several requests.`,
    { cause },
  );
}

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
