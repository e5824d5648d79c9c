import type * as z from "zod";
import { compile, config, util } from "zod/v4/core";
import type { Catalog } from "../core/catalog.ts";
import { extensionName, extensionValue } from "../core/attributes.ts";
import type { Event } from "../core/event.ts";
import { cloudEvent, plainEvent } from "../core/event-forms.ts";
import { verdictCodes } from "../core/errors.ts";
import { EVENT_MAX_BYTES, EXTENSIONS_MAX, ID_MAX_BYTES, VERDICT_MAX_ERRORS } from "../core/limits.ts";
import { stringifyForQueue } from "../core/sqs-text.ts";
import { type Fault, findUnstorable, toPointer } from "../core/storable.ts";
import type { Candidate } from "./formats/candidate.ts";

export type Validated = Valid | { kind: "invalid"; id: string | undefined; errors: Fault[] };

export type Valid = {
  kind: "valid";
  event: Event;
  /** Whether the event may travel as it was sent: it lacks nothing, and its members are those of an event in a message. */
  asSent: boolean;
  /** The event as it travels. */
  json: () => string;
};

export type ValidateDeps = {
  catalog: Catalog;
  unknownTypes: "accept" | "refuse";
  newId: () => string;
};

/**
 * Checks one event by itself, so that its verdict does not depend on the batch around it: attributes, `data` against
 * the catalog, and that queue and database can hold it. Fills in a missing id and time.
 */
export function validate(candidate: Candidate, receivedAt: string, deps: ValidateDeps): Validated {
  if (candidate.kind === "unreadable") return { kind: "invalid", id: undefined, errors: [candidate.fault] };
  const { form, value, exact, storableBytes = Number.POSITIVE_INFINITY } = candidate;
  if (!isObject(value) || !isObject(exact)) {
    const message = "expected an event object";
    return { kind: "invalid", id: undefined, errors: [{ path: "", code: "invalid_type", message }] };
  }
  // First of all, and no further than the limits: what follows recurses and collects.
  const unstorable = storableBytes <= EVENT_MAX_BYTES ? undefined : findUnstorable(exact);
  if (unstorable !== undefined) return { kind: "invalid", id: echo(value["id"]), errors: [unstorable] };
  const input = form === "cloudevent" ? withoutNulls(value) : value;
  const schema = form === "cloudevent" ? cloudEvent : plainEvent;
  // Exact, because a number like 1.0000000000000000001 is no integer, though a double says so.
  const exactInput = form === "cloudevent" ? withoutNulls(exact) : exact;
  const extensions = extensionsOf(exactInput, ATTRIBUTES[form]);
  const data = dataFaults(input, deps);
  const issues = isValid(schema, input) ? [] : (schema.safeParse(input).error?.issues ?? []);
  const errors = [...issues.map((issue) => toFault(issue, [])), ...extensionFaults(extensions), ...data.faults];
  if (errors.length > 0) return { kind: "invalid", id: echo(value["id"]), errors: cut(errors, data.untold) };
  const event = toEvent(input as EventInput, { data: exact["data"], extensions, receivedAt, newId: deps.newId });
  // A null that means "not there" would stand in the text.
  const asSent = extensions.length === 0 && input["id"] !== undefined && input["time"] !== undefined && input === value;
  return {
    kind: "valid",
    event,
    asSent,
    json: () => (asSent ? candidate.text : undefined) ?? stringifyForQueue(event),
  };
}

/** The names that are no extension attributes. */
const ATTRIBUTES = {
  plain: new Set(Object.keys(plainEvent.shape)),
  cloudevent: new Set(Object.keys(cloudEvent.shape)),
};

/** Compiled when first asked, and in a tenth of the time of a parse: only what is not valid is parsed, for its issues. */
function isValid(schema: z.ZodType, value: unknown): boolean {
  const known = compiled.get(schema);
  if (known !== undefined) return known.validate(value);
  compiled.set(schema, compile(schema));
  return isValid(schema, value);
}

const compiled = new Map<z.ZodType, z.ZodType>();

/** The id as it was sent, unless it is no id at all. */
function echo(id: unknown): string | undefined {
  return typeof id === "string" && id.length <= ID_MAX_BYTES ? id : undefined;
}

type EventInput = z.output<typeof plainEvent> | z.output<typeof cloudEvent>;

function toEvent(
  { id, source, type, subject, time, dataschema, datacontenttype, data_base64 }: EventInput,
  made: { data: unknown; extensions: [string, unknown][]; receivedAt: string; newId: () => string },
): Event {
  return {
    id: id ?? made.newId(),
    source,
    type,
    subject,
    time: time ?? made.receivedAt,
    dataschema,
    datacontenttype,
    extensions: made.extensions.length > 0 ? (Object.fromEntries(made.extensions) as Event["extensions"]) : undefined,
    data: made.data,
    data_base64: data_base64 as string | undefined,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** In the JSON format of CloudEvents an attribute that is null is one that is not there. Data may be null. */
function withoutNulls(value: Record<string, unknown>): Record<string, unknown> {
  if (!Object.values(value).includes(null)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name, member]) => member !== null || name === "data"));
}

function extensionsOf(event: Record<string, unknown>, attributes: ReadonlySet<string>): [string, unknown][] {
  const extensions: [string, unknown][] = [];
  for (const name of Object.keys(event)) if (!attributes.has(name)) extensions.push([name, event[name]]);
  return extensions;
}

function extensionFaults(extensions: [string, unknown][]): Fault[] {
  if (extensions.length > EXTENSIONS_MAX) {
    const message = `has ${extensions.length} extension attributes, at most ${EXTENSIONS_MAX} are allowed`;
    return [{ path: "", code: "too_big", message }];
  }
  return extensions.flatMap(([name, value]) => {
    const badName = extensionName.safeParse(name).error?.issues ?? [];
    const badValue = badName.length > 0 ? [] : (extensionValue.safeParse(value).error?.issues ?? []);
    return [
      ...badName.map(({ message }) => ({ path: toPointer([name]), code: "unknown_attribute" as const, message })),
      ...badValue.map((issue) => toFault({ ...issue, path: [] }, [name])),
    ];
  });
}

/** Faults of `data`, and how many more there are than those. */
type DataFaults = { faults: Fault[]; untold: number };

const NONE: DataFaults = { faults: [], untold: 0 };

function dataFaults(input: Record<string, unknown>, { catalog, unknownTypes }: ValidateDeps): DataFaults {
  const { type, dataschema } = input;
  if (typeof type !== "string") return NONE;
  const versions = catalog.get(type);
  const known = versions?.find((version) => dataschema === undefined || version.dataschema === dataschema);
  if (known !== undefined) {
    if (input["data"] === undefined && "data_base64" in input) {
      return one({ path: "/data_base64", code: "invalid_type", message: `expected data; ${type} is JSON` });
    }
    // The plain form has said already that data is missing.
    return "data" in input || "specversion" in input ? check(known.data, input["data"]) : NONE;
  }
  if (unknownTypes === "accept") return NONE;
  if (versions === undefined) {
    const message = `is not in the catalog, which has: ${[...catalog.keys()].toSorted().join(", ")}`;
    return one({ path: "/type", code: "unknown_type", message });
  }
  const message = `is no version of ${type}, which has: ${versions.map((version) => version.dataschema).join(", ")}`;
  return one({ path: "/dataschema", code: "unknown_type", message });
}

function one(fault: Fault): DataFaults {
  return { faults: [fault], untold: 0 };
}

/**
 * What a schema finds in `data`. zod collects every issue; its words are made only for those that are told, because a
 * hostile array has a hundred thousand.
 */
function check(schema: z.ZodType, data: unknown): DataFaults {
  if (isValid(schema, data)) return NONE;
  const { issues } = schema._zod.run({ value: data, issues: [] }, { async: false }) as z.core.ParsePayload;
  const told = issues.slice(0, VERDICT_MAX_ERRORS);
  const faults = told.map((issue) => toFault(util.finalizeIssue(issue, {}, config()), ["data"]));
  return { faults, untold: issues.length - told.length };
}

/** A zod issue as a verdict: JSON Pointer, stable code, message. JSON has no undefined: it is a missing field. */
function toFault(issue: z.core.$ZodIssue, base: string[]): Fault {
  const path = toPointer([...base, ...issue.path]);
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) {
    const expected = issue.expected === "nonoptional" ? "send null for none" : `expected ${issue.expected}`;
    return { path, code: "required", message: `is missing; ${expected}` };
  }
  const own: unknown = issue.code === "custom" ? issue.params?.["code"] : issue.code;
  return { path, code: verdictCodes.find((code) => code === own) ?? "custom", message: issue.message };
}

/** The first errors, and how many more there are. */
function cut(errors: Fault[], untold: number): Fault[] {
  const more = Math.max(errors.length - VERDICT_MAX_ERRORS, 0) + untold;
  if (more === 0) return errors;
  return [
    ...errors.slice(0, VERDICT_MAX_ERRORS),
    { path: "", code: "more_errors", message: `and ${more} more errors` },
  ];
}
