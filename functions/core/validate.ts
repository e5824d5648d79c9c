import type * as z from "zod";
import { compile, config, util, validate as matches } from "zod/v4/core";
import { type Catalog, dataschemasOf, type EventType, findVersion, type UnknownEvents } from "./catalog.ts";
import { extensionName, extensionValue, SET_BY_SLUICE, time } from "./attributes.ts";
import type { EnvelopeHead } from "./envelope.ts";
import type { Event } from "./event.ts";
import { cloudEvent, plainEvent } from "./event-forms.ts";
import { type EventError, verdictCodes } from "./errors.ts";
import { jsonPointer } from "./json-pointer.ts";
import { EXTENSIONS_MAX, ID_MAX_BYTES, VERDICT_MAX_ERRORS } from "./limits.ts";
import { isJsonObject } from "./lossless-json.ts";
import { once } from "./once.ts";
import type { Candidate } from "./candidate.ts";
import { type Checked, findUnstorablePart, isComplete } from "./verbatim.ts";

export type Validated = Valid | Invalid;

/** `isUnchecked`: the catalog has no schema for the event's data. */
export type Valid = { kind: "valid"; isUnchecked: boolean } & Checked;

type Invalid = { kind: "invalid"; id: string | undefined; errors: EventError[]; failure?: SchemaFailure };

/** A schema of the catalog threw: a fault of the schema, whatever the event is. */
export type SchemaFailure = { file: string; error: unknown };

export type ValidateDeps = {
  catalog: Catalog;
  /** Whether an event is accepted unchecked where the catalog does not have its type. */
  unknownTypes: UnknownEvents;
  /** The same where the catalog has its type, but not the version that its `dataschema` names. */
  unknownVersions: UnknownEvents;
  newId: () => string;
};

/**
 * Checks one event by itself, so that its verdict does not depend on the batch around it: its attributes, its `data`
 * against the catalog, and whether queue and database can hold it. Generates a missing id and time.
 */
export function validate(candidate: Candidate, head: EnvelopeHead, deps: ValidateDeps): Validated {
  if (candidate.kind === "unreadable") return { kind: "invalid", id: undefined, errors: [candidate.error] };
  const { form, value, lossless, verbatim } = candidate;
  if (!isJsonObject(value) || !isJsonObject(lossless)) {
    const message = "expected an event object";
    return { kind: "invalid", id: undefined, errors: [{ path: "", code: "invalid_type", message }] };
  }
  // The checks below recurse and collect errors, so bound depth and size first.
  const unstorable = findUnstorablePart(lossless, verbatim);
  if (unstorable !== undefined) return { kind: "invalid", id: idForVerdict(value["id"]), errors: [unstorable] };
  const input = form === "cloudevent" ? withoutNulls(value) : value;
  const { schema, attributes } = FORMS[form]();
  // Lossless, because 1.0000000000000000001 is no integer, though a double says so.
  const losslessInput = form === "cloudevent" ? withoutNulls(lossless) : lossless;
  const added = extensionsOf(losslessInput, attributes);
  // An event that was read can be sent again: the attributes that Sluice added are not stored as the event's own.
  const extensions = added.filter(([name, attribute]) => !isSetBySluice(name, attribute, head.tenant));
  const data = dataErrors(input, deps);
  const issues = isValid(schema, input) ? [] : (schema.safeParse(input).error?.issues ?? []);
  const errors = [...issues.map((issue) => toEventError(issue, [])), ...extensionErrors(extensions), ...data.errors];
  if (errors.length > 0) {
    const { omitted, failure } = data;
    const limited = limitErrors(errors, omitted);
    return { kind: "invalid", id: idForVerdict(value["id"]), errors: limited, ...(failure && { failure }) };
  }
  const event = toEvent(input as EventInput, {
    data: lossless["data"],
    extensions,
    receivedAt: head.receivedAt,
    newId: deps.newId,
  });
  const { isUnchecked = false } = data;
  return { kind: "valid", event, isUnchecked, isComplete: isComplete({ value, input, extensions: added }), verbatim };
}

/** The schema of a form, and the names of members that are no extension attributes. */
const FORMS = {
  plain: once(() => toForm(plainEvent())),
  cloudevent: once(() => toForm(cloudEvent())),
};

const toForm = <Schema extends z.ZodObject>(schema: Schema) => ({
  schema,
  attributes: new Set(Object.keys(schema.shape)),
});

/** Checks a value by a compiled schema, in a tenth of the time of a parse; only an invalid value is parsed, for its issues. */
function isValid(schema: z.ZodType, value: unknown): boolean {
  const known = compiled.get(schema);
  if (known !== undefined) return matches(known, value);
  compiled.set(schema, compile(schema));
  return isValid(schema, value);
}

const compiled = new Map<z.ZodType, z.ZodType>();

/** Returns the id as it was sent, unless it is no id at all. */
function idForVerdict(id: unknown): string | undefined {
  return typeof id === "string" && id.length <= ID_MAX_BYTES ? id : undefined;
}

type EventInput = z.output<ReturnType<typeof plainEvent>> | z.output<ReturnType<typeof cloudEvent>>;

function toEvent(
  { id, source, type, subject, time, dataschema, datacontenttype, data_base64 }: EventInput,
  rest: { data: unknown; extensions: [string, unknown][]; receivedAt: string; newId: () => string },
): Event {
  return {
    id: id ?? rest.newId(),
    source,
    type,
    subject,
    time: time ?? rest.receivedAt,
    dataschema,
    datacontenttype,
    extensions: rest.extensions.length > 0 ? (Object.fromEntries(rest.extensions) as Event["extensions"]) : undefined,
    data: rest.data,
    data_base64: data_base64 as string | undefined,
  };
}

/** Leaves out attributes that are null: in the JSON format of CloudEvents they count as absent. Data may be null. */
function withoutNulls(value: Record<string, unknown>): Record<string, unknown> {
  if (!Object.values(value).includes(null)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name, member]) => member !== null || name === "data"));
}

function extensionsOf(event: Record<string, unknown>, attributes: ReadonlySet<string>): [string, unknown][] {
  const extensions: [string, unknown][] = [];
  for (const name of Object.keys(event)) if (!attributes.has(name)) extensions.push([name, event[name]]);
  return extensions;
}

/** Tells whether an attribute is as Sluice adds it when the caller reads the event. Any other value under its name is an error. */
function isSetBySluice(name: string, value: unknown, tenant: string): boolean {
  if (!SET_BY_SLUICE.has(name)) return false;
  return name === "tenant" ? value === tenant : time().safeParse(value).success;
}

function extensionErrors(extensions: [string, unknown][]): EventError[] {
  if (extensions.length > EXTENSIONS_MAX) {
    const message = `has ${extensions.length} extension attributes, at most ${EXTENSIONS_MAX} are allowed`;
    return [{ path: "", code: "too_big", message }];
  }
  return extensions.flatMap(([name, value]) => {
    const badName = extensionName().safeParse(name).error?.issues ?? [];
    const badValue = badName.length > 0 ? [] : (extensionValue().safeParse(value).error?.issues ?? []);
    return [
      ...badName.map(({ message }) => ({ path: jsonPointer([name]), code: "unknown_attribute" as const, message })),
      ...badValue.map((issue) => toEventError({ ...issue, path: [] }, [name])),
    ];
  });
}

/** Errors of `data`, and the number of those left out. */
type DataErrors = { errors: EventError[]; omitted: number; isUnchecked?: true; failure?: SchemaFailure };

const NONE: DataErrors = { errors: [], omitted: 0 };
const UNCHECKED: DataErrors = { ...NONE, isUnchecked: true };

function dataErrors(input: Record<string, unknown>, deps: ValidateDeps): DataErrors {
  const { catalog, unknownTypes, unknownVersions } = deps;
  const { type, dataschema } = input;
  if (typeof type !== "string") return NONE;
  const versions = catalog.get(type);
  const known = versions === undefined ? undefined : findVersion(versions, dataschema);
  if (known !== undefined) {
    if (input["data"] === undefined && "data_base64" in input) {
      return singleError({ path: "/data_base64", code: "invalid_type", message: `expected data; ${type} is JSON` });
    }
    // The schema of the plain form reports missing data already.
    return "data" in input || "specversion" in input ? validateData(known, input["data"]) : NONE;
  }
  if (versions === undefined) {
    if (unknownTypes === "accept") return UNCHECKED;
    const message = `is not in the catalog, which has: ${listOf([...catalog.keys()].toSorted(), ", ")}`;
    return singleError({ path: "/type", code: "unknown_type", message });
  }
  // Its own schema reports a dataschema that is no string.
  if (unknownVersions === "accept" || typeof dataschema !== "string") return UNCHECKED;
  const message = `is no version of ${type}: ${listOf(["leave it out", ...dataschemasOf(versions)], ", or send ")}`;
  return singleError({ path: "/dataschema", code: "unknown_version", message });
}

/** Joins the first names of a list that may be long. */
function listOf(names: readonly string[], separator: string): string {
  const more = names.length - NAMED_MAX;
  return names.slice(0, NAMED_MAX).join(separator) + (more > 0 ? `, and ${more} more` : "");
}

/** Names that a message lists; GET /schemas has all of them. */
const NAMED_MAX = 20;

function singleError(error: EventError): DataErrors {
  return { errors: [error], omitted: 0 };
}

/** Checks `data` by a schema of the catalog. The schema is the user's code, so it may throw. */
function validateData({ file, type, data: schema }: EventType, data: unknown): DataErrors {
  try {
    return issuesOf(schema, data);
  } catch (error) {
    const message = `could not be checked: the schema of ${type} failed, not the event. Send it again once the schema is repaired`;
    return { ...singleError({ path: "/data", code: "schema_failed", message }), failure: { file, error } };
  }
}

/** zod collects every issue; messages are written only for the reported ones: a hostile array has a hundred thousand. */
function issuesOf(schema: z.ZodType, data: unknown): DataErrors {
  if (isValid(schema, data)) return NONE;
  const { issues } = schema._zod.run({ value: data, issues: [] }, { async: false }) as z.core.ParsePayload;
  const reported = issues.slice(0, VERDICT_MAX_ERRORS);
  const errors = reported.map((issue) => toEventError(util.finalizeIssue(issue, {}, config()), ["data"]));
  return { errors, omitted: issues.length - reported.length };
}

/** Translates a zod issue. JSON has no undefined, so that type means a missing field. */
function toEventError(issue: z.core.$ZodIssue, base: string[]): EventError {
  const path = jsonPointer([...base, ...issue.path]);
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) {
    const expected = issue.expected === "nonoptional" ? "send null for none" : `expected ${issue.expected}`;
    return { path, code: "required", message: `is missing; ${expected}` };
  }
  const own: unknown = issue.code === "custom" ? issue.params?.["code"] : issue.code;
  return { path, code: verdictCodes.find((code) => code === own) ?? "custom", message: issue.message };
}

/** Keeps the first errors and states the number of the others. */
function limitErrors(errors: EventError[], omitted: number): EventError[] {
  const more = Math.max(errors.length - VERDICT_MAX_ERRORS, 0) + omitted;
  if (more === 0) return errors;
  return [
    ...errors.slice(0, VERDICT_MAX_ERRORS),
    { path: "", code: "more_errors", message: `and ${more} more errors` },
  ];
}
