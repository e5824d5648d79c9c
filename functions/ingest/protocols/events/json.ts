import { RequestError } from "../../../core/errors.ts";
import { EVENT_MAX_DEPTH, JSON_MAX_DEPTH, REQUEST_MAX_EVENTS, REQUEST_MAX_VALUES } from "../../../core/limits.ts";
import { JsonLimitError, type Parsed, parseLossless } from "../../../core/lossless-json.ts";
import type { Candidate, Decoded } from "../../candidate.ts";
import { verbatimEvent, verbatimList } from "../../verbatim.ts";

type Form = "plain" | "cloudevent";

/** Decodes one event object, or an array of them. @throws RequestError `malformed_body`, `too_many_events`, `too_many_values` */
export function decodeOneOrMany(text: string, form: Form): Decoded {
  const parsed = parse(text);
  return Array.isArray(parsed.value) ? members(text, parsed, form) : { candidates: [single(text, parsed, form)] };
}

/** Decodes exactly one event. @throws RequestError `malformed_body` */
export function decodeOne(text: string, form: Form): Decoded {
  const parsed = parse(text);
  if (Array.isArray(parsed.value)) {
    throw new RequestError("malformed_body", "The body is an array. Send one event, or the content type of a batch.");
  }
  return { candidates: [single(text, parsed, form)] };
}

/** Decodes an array of events, which may be empty (CloudEvents JSON batch format 4.2). @throws RequestError `malformed_body` */
export function decodeMany(text: string, form: Form): Decoded {
  const parsed = parse(text);
  if (!Array.isArray(parsed.value)) {
    throw new RequestError("malformed_body", "The body is not an array. A batch is an array of events.");
  }
  if (parsed.value.length === 0) return { candidates: [] };
  return members(text, parsed, form);
}

/** Decodes one event a line; empty lines do not count. A line that is not JSON makes that event alone invalid. */
export function decodeLines(text: string): Decoded {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  checkCount(lines.length);
  let values = 0;
  const candidates = lines.map((line): Candidate => {
    try {
      const parsed = parseLossless(line, REQUEST_MAX_VALUES);
      values += parsed.values;
      if (values > REQUEST_MAX_VALUES) throw new JsonLimitError("values");
      return single(line, parsed, "plain");
    } catch (error) {
      if (!(error instanceof JsonLimitError)) {
        const message = `is not JSON${position(error)}`;
        return { kind: "unreadable", error: { path: "", code: "malformed_json", message } };
      }
      if (error.limit === "values") throw tooManyValues(error);
      const message = `is nested deeper than ${EVENT_MAX_DEPTH} levels`;
      return { kind: "unreadable", error: { path: "", code: "too_deep", message } };
    }
  });
  return { candidates };
}

/** @throws RequestError `malformed_body`, `too_many_values` */
export function parse(text: string): Parsed {
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

/** @param text of this event alone */
function single(text: string, parsed: Parsed, form: Form): Candidate {
  const { value, lossless } = parsed;
  return { kind: "event", form, value, lossless, verbatim: verbatimEvent(text, parsed) };
}

function members(text: string, parsed: Parsed, form: Form): Decoded {
  const [values, lossless] = [parsed.value, parsed.lossless] as [unknown[], unknown[]];
  checkCount(values.length);
  const verbatim = verbatimList(text, parsed);
  const candidates = values.map(
    (value, index): Candidate => ({
      kind: "event",
      form,
      value,
      lossless: lossless[index],
      verbatim: verbatim?.member,
    }),
  );
  return { candidates, verbatimList: verbatim?.list };
}

/** Checks the number of events before each is checked. @throws RequestError `too_many_events`, `malformed_body` */
function checkCount(events: number): void {
  if (events === 0) throw new RequestError("malformed_body", "The body has no event. Send at least one.");
  if (events <= REQUEST_MAX_EVENTS) return;
  throw new RequestError(
    "too_many_events",
    `The body has ${events} events, at most ${REQUEST_MAX_EVENTS} are allowed. Split them over several requests.`,
  );
}

/** Names the place of the error without quoting the text. */
function position(error: unknown): string {
  return error instanceof SyntaxError ? (/ at position \d+/.exec(error.message)?.[0] ?? "") : "";
}
