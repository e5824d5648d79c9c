import type * as z from "zod";
import type { EventType } from "../catalog/catalog.ts";
import { attributeNames, type Event, eventInput, extensionName, extensionValue } from "../core/event.ts";
import { EXTENSIONS_MAX, VERDICT_MAX_ERRORS } from "../core/limits.ts";
import { stringifyForQueue } from "../core/lossless-json.ts";
import { escapePointer, type Fault, findUnstorable } from "../core/storable.ts";
import type { Candidate } from "./decode.ts";

export type Validated =
  | { kind: "valid"; event: Event; json: string }
  | { kind: "invalid"; id: string | undefined; errors: Fault[] };

export type ValidateDeps = {
  catalog: ReadonlyMap<string, EventType>;
  unknownTypes: "accept" | "refuse";
  newId: () => string;
};

/**
 * Checks one event by itself, so that its verdict does not depend on the batch around it: attributes, `data` against
 * the catalog, and that queue and database can hold it. Fills in a missing id and time.
 */
export function validate(candidate: Candidate, receivedAt: string, deps: ValidateDeps): Validated {
  const input = candidate.value;
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return {
      kind: "invalid",
      id: undefined,
      errors: [{ path: "", code: "invalid_type", message: "expected an event object" }],
    };
  }
  const parsed = eventInput.safeParse(input);
  const errors = [
    ...(parsed.success ? [] : parsed.error.issues.map((issue) => toFault(issue, []))),
    ...extensionFaults(input),
    ...dataFaults(input, deps),
  ];
  if (parsed.success && errors.length === 0) {
    const exactData = (candidate.exact as EventInput).data;
    const event = toEvent({ ...parsed.data, data: exactData }, receivedAt, deps.newId);
    const json = stringifyForQueue(event);
    const fault = findUnstorable(event, json);
    if (fault === undefined) return { kind: "valid", event, json };
    errors.push(fault);
  }
  return {
    kind: "invalid",
    id: "id" in input && typeof input.id === "string" ? input.id : undefined,
    errors: cut(errors),
  };
}

type EventInput = z.output<typeof eventInput>;

function toEvent(input: EventInput, receivedAt: string, newId: () => string): Event {
  const extensions = Object.entries(input).filter(([name]) => !attributeNames.has(name));
  return {
    id: input.id ?? newId(),
    source: input.source,
    type: input.type,
    ...(input.subject !== undefined && { subject: input.subject }),
    time: input.time ?? receivedAt,
    ...(input.dataschema !== undefined && { dataschema: input.dataschema }),
    ...(input.datacontenttype !== undefined && { datacontenttype: input.datacontenttype }),
    ...(extensions.length > 0 && { extensions: Object.fromEntries(extensions) as Event["extensions"] }),
    data: input.data,
  };
}

function extensionFaults(input: object): Fault[] {
  const extensions = Object.entries(input).filter(([name]) => !attributeNames.has(name));
  if (extensions.length > EXTENSIONS_MAX) {
    const message = `has ${extensions.length} extension attributes, at most ${EXTENSIONS_MAX} are allowed`;
    return [{ path: "", code: "too_big", message }];
  }
  return extensions.flatMap(([name, value]) => {
    const badName = extensionName.safeParse(name).error?.issues ?? [];
    const badValue = badName.length > 0 ? [] : (extensionValue.safeParse(value).error?.issues ?? []);
    return [
      ...badName.map((issue) => ({
        path: `/${escapePointer(name)}`,
        code: "unknown_attribute",
        message: issue.message,
      })),
      ...badValue.map((issue) => toFault({ ...issue, path: [] }, [name])),
    ];
  });
}

function dataFaults(input: object, { catalog, unknownTypes }: ValidateDeps): Fault[] {
  if (!("data" in input) || !("type" in input) || typeof input.type !== "string") return [];
  const known = catalog.get(input.type);
  if (known !== undefined) {
    const parsed = known.data.safeParse(input.data);
    return parsed.success ? [] : parsed.error.issues.map((issue) => toFault(issue, ["data"]));
  }
  if (unknownTypes === "accept") return [];
  const message = `is not in the catalog, which has: ${[...catalog.keys()].toSorted().join(", ")}`;
  return [{ path: "/type", code: "unknown_type", message }];
}

/** A zod issue as a verdict: JSON Pointer (RFC 6901), stable code, message. JSON has no undefined: it is a missing field. */
function toFault(issue: z.core.$ZodIssue, base: string[]): Fault {
  const path = [...base, ...issue.path].map((token) => `/${escapePointer(String(token))}`).join("");
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) {
    const expected = issue.expected === "nonoptional" ? "send null for none" : `expected ${issue.expected}`;
    return { path, code: "required", message: `is missing; ${expected}` };
  }
  const code =
    issue.code === "custom" && typeof issue.params?.["code"] === "string" ? issue.params["code"] : issue.code;
  return { path, code, message: issue.message };
}

function cut(errors: Fault[]): Fault[] {
  if (errors.length <= VERDICT_MAX_ERRORS) return errors;
  const message = `and ${errors.length - VERDICT_MAX_ERRORS} more errors`;
  return [...errors.slice(0, VERDICT_MAX_ERRORS), { path: "", code: "more_errors", message }];
}
