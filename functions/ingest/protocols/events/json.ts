import { type EventError, RequestError } from "../../../core/errors.ts";
import { EVENT_MAX_DEPTH, JSON_MAX_DEPTH, REQUEST_MAX_EVENTS, REQUEST_MAX_VALUES } from "../../../core/limits.ts";
import { isJsonObject, JsonLimitError, type Parsed, parseLossless } from "../../../core/lossless-json.ts";
import type { Candidate } from "../../../core/candidate.ts";
import { verbatimEvent, verbatimMembers } from "../../../core/verbatim.ts";

/**
 * Decodes one event in plain JSON, or an array of them. An event with `specversion` is read as the CloudEvent that it is.
 * @throws RequestError `malformed_body`, `too_many_events`, `too_many_values`
 */
export function decodeJson(text: string): Candidate[] {
  const parsed = parse(text, adviceForLines);
  return Array.isArray(parsed.value) ? members(text, parsed, formOf) : [single(text, parsed, formOf)];
}

/** Decodes one CloudEvent. @throws RequestError `malformed_body` */
export function decodeCloudEvent(text: string): Candidate[] {
  const parsed = parse(text, adviceForLines);
  if (Array.isArray(parsed.value)) {
    throw new RequestError(
      "malformed_body",
      "The body is an array. Send one event, or the array as application/cloudevents-batch+json.",
    );
  }
  return [single(text, parsed, cloudEvent)];
}

/**
 * Decodes an array of CloudEvents, which may be empty (CloudEvents JSON batch format 4.2).
 * @throws RequestError `malformed_body`
 */
export function decodeBatch(text: string): Candidate[] {
  const parsed = parse(text, adviceForLines);
  if (!Array.isArray(parsed.value)) {
    throw new RequestError(
      "malformed_body",
      "The body is not an array. Send an array of events, or one event as application/cloudevents+json.",
    );
  }
  if (parsed.value.length === 0) return [];
  return members(text, parsed, cloudEvent);
}

/**
 * Decodes one event a line, each as in plain JSON; empty lines do not count. A line that is no event makes that event alone
 * invalid.
 */
export function decodeLines(text: string): Candidate[] {
  const events: { line: string; number: number }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() !== "") events.push({ line, number: index + 1 });
  }
  checkCount(events.length);
  let values = 0;
  return events.map(({ line, number }): Candidate => {
    const unreadable = (code: EventError["code"], message: string): Candidate => ({
      kind: "unreadable",
      error: { path: "", code, message },
      line: number,
    });
    try {
      const parsed = parseLossless(line, REQUEST_MAX_VALUES);
      values += parsed.values;
      if (values > REQUEST_MAX_VALUES) throw new JsonLimitError("values");
      if (Array.isArray(parsed.value)) {
        return unreadable("invalid_type", "is an array; a line is one event, and an array is application/json");
      }
      return { ...single(line, parsed, formOf), line: number };
    } catch (error) {
      if (!(error instanceof JsonLimitError)) return unreadable("malformed_json", `is not JSON${position(error)}`);
      if (error.limit === "values") throw tooManyValues(error);
      return unreadable("too_deep", `is nested deeper than ${EVENT_MAX_DEPTH} levels`);
    }
  });
}

/** An event's form. */
type FormOf = (value: unknown) => "plain" | "cloudevent";

const cloudEvent: FormOf = () => "cloudevent";
const formOf: FormOf = (value) => (isJsonObject(value) && "specversion" in value ? "cloudevent" : "plain");

/** The advice about a text that is not JSON as a whole, but has a line that is. */
function adviceForLines(text: string): string {
  const lines = text.split("\n", LINES_LOOKED_AT).filter((line) => line.trim() !== "");
  return lines.length > 1 && lines.some(isObject) ? " Send one event a line as application/x-ndjson." : "";
}

const LINES_LOOKED_AT = 20;

function isObject(line: string): boolean {
  try {
    return isJsonObject(JSON.parse(line));
  } catch {
    return false;
  }
}

/**
 * @param advice more to say about a text that is not JSON
 * @throws RequestError `malformed_body`, `too_many_values`
 */
export function parse(text: string, advice: (text: string) => string = () => ""): Parsed {
  try {
    return parseLossless(text, REQUEST_MAX_VALUES);
  } catch (cause) {
    if (cause instanceof JsonLimitError && cause.limit === "values") throw tooManyValues(cause);
    if (cause instanceof JsonLimitError) throw new RequestError("malformed_body", TOO_DEEP, { cause });
    const detail =
      text.trim() === ""
        ? "The body is empty. Send an event or an array of events."
        : `The body is not JSON${position(cause)}.${advice(text)}`;
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
function single(text: string, parsed: Parsed, formOf: FormOf): Candidate {
  const { value, lossless } = parsed;
  return { kind: "event", form: formOf(value), value, lossless, verbatim: verbatimEvent(text, parsed) };
}

function members(text: string, parsed: Parsed, formOf: FormOf): Candidate[] {
  const [values, lossless] = [parsed.value, parsed.lossless] as [unknown[], unknown[]];
  checkCount(values.length);
  const verbatim = verbatimMembers(text, parsed);
  return values.map((value, index) => ({
    kind: "event",
    form: formOf(value),
    value,
    lossless: lossless[index],
    verbatim: verbatim?.[index],
  }));
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
