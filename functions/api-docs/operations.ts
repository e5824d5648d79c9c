import { REQUEST_MAX_BYTES, REQUEST_MAX_EVENTS } from "../core/limits.ts";
import { refTo } from "./components.ts";
import { binaryModeHeaders, ingestAnswers, requests, stored, types } from "./examples.ts";
import { problems } from "./problems.ts";

const REQUEST_MAX_MIB = REQUEST_MAX_BYTES / 1024 / 1024;

type JsonObject = Record<string, unknown>;

/** The operations of the API by path and method; a test compares them with the routes of the stack. */
export function operations(): Record<string, Record<string, JsonObject>> {
  return {
    "/events": { post: sendEvents },
    "/events/{id}": { get: readEvent },
    "/schemas": { get: listTypes },
    "/schemas/{type}": { get: readSchema },
    "/openapi.json": { get: file("openApi", "This document", "application/json", { type: "object" }) },
    "/docs": { get: file("docs", "This document as a page", "text/html") },
    "/docs/rapidoc-min.js": { get: file("docsRapidoc", "RapiDoc, which draws the page", "text/javascript") },
    "/docs/page.js": { get: file("docsScript", "The page's own script", "text/javascript") },
    "/health": { get: health },
  };
}

const sendEvents = {
  operationId: "sendEvents",
  tags: ["events"],
  summary: "Send events",
  description: `One to ${REQUEST_MAX_EVENTS} events; the content type says how they are written. Each event is judged by itself: its
verdict stands in \`results\`, in the order of the request.

Where the header \`ce-specversion\` is there, the body is the data of one CloudEvent in binary mode, and the attributes
stand in \`ce-\` headers, those of extensions too.`,
  parameters: [
    {
      name: "validate",
      in: "query",
      description: "`only`: answer the verdicts and store nothing",
      schema: { type: "string", enum: ["only"] },
    },
    {
      name: "Content-Encoding",
      in: "header",
      description: `\`gzip\`: the body is compressed; at most ${REQUEST_MAX_MIB} MiB after inflating`,
      schema: { type: "string", enum: ["gzip"] },
    },
    ...Object.entries({ ...binaryModeHeaders, "ce-subject": "order-1", "ce-time": "2026-11-21T09:30:00Z" }).map(
      ([name, example]) => ({
        name,
        in: "header",
        description: `Binary mode: the attribute \`${name.slice("ce-".length)}\`, for example \`${example}\`; percent-encoded where it is not printable ASCII`,
        schema: { type: "string" },
      }),
    ),
  ],
  requestBody: {
    required: true,
    description: `At most ${REQUEST_MAX_MIB} MiB`,
    content: {
      "application/json": {
        schema: { oneOf: [refTo("Event"), events("Event")] },
        examples: requests["application/json"],
      },
      "application/x-ndjson": {
        schema: { type: "string", description: "One event in plain JSON a line; empty lines do not count" },
        examples: requests["application/x-ndjson"],
      },
      "application/cloudevents+json": {
        schema: refTo("CloudEvent"),
        examples: requests["application/cloudevents+json"],
      },
      "application/cloudevents-batch+json": {
        schema: events("CloudEvent"),
        examples: requests["application/cloudevents-batch+json"],
      },
      "*/*": {
        schema: { description: "Binary mode: JSON and text are stored as such, everything else as `data_base64`" },
        examples: requests["*/*"],
      },
    },
  },
  responses: {
    202: verdicts("Every event was accepted (`duplicate` included)", ingestAnswers[202]),
    207: verdicts("Some events were accepted", ingestAnswers[207]),
    422: verdicts("No event was valid", ingestAnswers[422]),
    ...problems([
      "malformed_body",
      "bad_header",
      "bad_parameter",
      "body_too_large",
      "too_many_events",
      "too_many_values",
      "unsupported_media_type",
      "queue_unavailable",
    ]),
  },
};

const readEvent = {
  operationId: "readEvent",
  tags: ["events"],
  summary: "Read one event",
  description: "An accepted event can be read as soon as the consumer has stored it, usually within seconds.",
  parameters: [
    { name: "id", in: "path", required: true, schema: { type: "string" }, example: stored.id },
    {
      name: "source",
      in: "query",
      description: "Needed where several sources used the id",
      schema: { type: "string" },
      example: stored.source,
    },
  ],
  responses: {
    200: ok("The event", "application/cloudevents+json", { schema: refTo("StoredEvent"), ...named(stored) }),
    ...problems(["bad_parameter", "not_found", "ambiguous_id", "database_unavailable"]),
  },
};

const listTypes = {
  operationId: "listTypes",
  tags: ["reference"],
  summary: "List the types of events whose data is checked",
  responses: {
    200: ok("The catalog", "application/json", { schema: refTo("Types"), ...named(types) }),
    ...problems([]),
  },
};

const readSchema = {
  operationId: "readSchema",
  tags: ["reference"],
  summary: "Read the JSON Schema of a type's data",
  parameters: [
    { name: "type", in: "path", required: true, schema: { type: "string" }, example: stored.type },
    {
      name: "dataschema",
      in: "query",
      description: "The version; the oldest where missing, which is also what an event without `dataschema` means",
      schema: { type: "string" },
    },
  ],
  responses: {
    200: ok("JSON Schema 2020-12", "application/schema+json", { schema: { type: "object" } }),
    ...problems(["bad_parameter", "no_such_type", "no_such_version"]),
  },
};

const health = {
  operationId: "health",
  tags: ["health"],
  summary: "Ask whether the API answers",
  responses: {
    200: ok("It does", "application/json", { schema: refTo("Health"), ...named({ status: "ok" }) }),
    ...problems([]),
  },
};

function file(operationId: string, summary: string, contentType: string, schema: JsonObject = { type: "string" }) {
  return {
    operationId,
    tags: ["reference"],
    summary,
    responses: { 200: ok(summary, contentType, { schema }), ...problems([]) },
  };
}

function events(name: "Event" | "CloudEvent") {
  return { type: "array", items: refTo(name), minItems: 1, maxItems: REQUEST_MAX_EVENTS };
}

function verdicts(description: string, example: JsonObject) {
  return ok(description, "application/json", { schema: refTo("Verdicts"), ...named(example) });
}

function ok(description: string, contentType: string, content: JsonObject) {
  return { description, content: { [contentType]: content } };
}

/** As a list of one: viewers show these, and make their own where there is only an `example`. */
function named(value: JsonObject) {
  return { examples: { example: { value } } };
}
