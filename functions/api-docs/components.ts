import * as z from "zod";
import { type SchemaName, schemas } from "../core/answer.ts";
import { extensionValue } from "../core/attributes.ts";
import {
  DATACONTENTTYPE_MAX_BYTES,
  DATASCHEMA_MAX_BYTES,
  EVENT_MAX_BYTES,
  EVENT_MAX_DEPTH,
  EXTENSION_NAME_MAX_CHARACTERS,
  EXTENSION_VALUE_MAX_BYTES,
  EXTENSIONS_MAX,
  ID_MAX_BYTES,
  SOURCE_MAX_BYTES,
  SUBJECT_MAX_BYTES,
  TYPE_MAX_BYTES,
} from "../core/limits.ts";

type JsonSchema = Record<string, unknown>;

export function refTo(name: SchemaName) {
  return { $ref: `#/components/schemas/${name}` };
}

/** Writes the zod schemas as JSON Schema (2020-12), and adds limits in bytes and extension attributes. */
export function componentSchemas(): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const converted = z.toJSONSchema(registry, {
    io: "input",
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      // The format says the same as a pattern with leap years, and people can read it.
      if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
      if (jsonSchema.format === "base64") {
        delete jsonSchema.pattern;
        delete jsonSchema.format;
      }
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }).schemas;
  const named = Object.entries(converted).map(([name, { $schema: _schema, $id: _id, ...schema }]) => [name, schema]);
  const components = Object.fromEntries(named) as Record<SchemaName, JsonSchema>;
  return {
    ...components,
    Event: {
      ...describeEvent(components.Event, EVENT_DESCRIPTION),
      // With `specversion` it is a CloudEvent.
      dependentRequired: { specversion: ["id"] },
    },
    CloudEvent: {
      ...withNullableAttributes(describeEvent(components.CloudEvent, CLOUDEVENT_DESCRIPTION)),
      not: { required: ["data", "data_base64"] },
    },
    StoredEvent: describeEvent(components.StoredEvent, STORED_EVENT_DESCRIPTION),
  };
}

function describeEvent({ properties, ...schema }: JsonSchema, description: string): JsonSchema {
  const described = Object.entries(properties as Record<string, JsonSchema>).map(([name, property]) => [
    name,
    { ...property, ...attributes[name] },
  ]);
  const { $schema: _schema, ...extension } = z.toJSONSchema(extensionValue(), {
    io: "input",
    override: ({ jsonSchema }) => {
      if (jsonSchema.type === "string") jsonSchema.maxLength = EXTENSION_VALUE_MAX_BYTES;
    },
  });
  return {
    description,
    ...schema,
    properties: Object.fromEntries(described),
    additionalProperties: { ...extension, description: EXTENSION_DESCRIPTION },
    // Names of attributes and extensions; `tenant` is set by Sluice and only read.
    propertyNames: { pattern: `^([a-z0-9]{1,${EXTENSION_NAME_MAX_CHARACTERS}}|data_base64)$` },
  };
}

/** Optional attributes and extensions may be null, which means that they are absent. */
function withNullableAttributes({ properties, additionalProperties, ...schema }: JsonSchema): JsonSchema {
  const required = schema["required"] as string[];
  const nullable = Object.entries(properties as Record<string, JsonSchema>).map(([name, property]) => [
    name,
    required.includes(name) || name === "data" ? property : { anyOf: [property, { type: "null" }] },
  ]);
  return {
    ...schema,
    properties: Object.fromEntries(nullable),
    additionalProperties: { anyOf: [additionalProperties, { type: "null" }] },
  };
}

const EVENT_DESCRIPTION = `An event in plain JSON: at most ${EVENT_MAX_BYTES / 1024} KiB and ${EVENT_MAX_DEPTH} levels deep.`;
const CLOUDEVENT_DESCRIPTION = "A CloudEvent 1.0 in its JSON format; `data` and `data_base64` exclude each other.";
const STORED_EVENT_DESCRIPTION = "A CloudEvent 1.0 as it was sent, with `tenant` and `receivedat`.";
const EXTENSION_DESCRIPTION = `Extension attributes: at most ${EXTENSIONS_MAX}, with names of 1 to ${EXTENSION_NAME_MAX_CHARACTERS} characters of a-z and 0-9.`;

/** A string of n bytes has at most n characters. */
const text = (description: string, maxBytes: number) => ({
  description: `${description}; at most ${maxBytes} bytes`,
  maxLength: maxBytes,
});

const attributes: Record<string, JsonSchema> = {
  id: {
    ...text(
      "With `source` and the tenant the key of an event; generated (UUIDv7) where the plain form has none",
      ID_MAX_BYTES,
    ),
    not: { enum: [".", ".."] },
  },
  source: text("Where the event comes from; a URI or a path", SOURCE_MAX_BYTES),
  type: text("What happened; `GET /schemas` lists the types whose `data` is checked", TYPE_MAX_BYTES),
  subject: text("What it happened to", SUBJECT_MAX_BYTES),
  time: { description: "When it happened, RFC 3339; the time of receipt where missing. Comes back verbatim" },
  dataschema: text("The version of the type, as `GET /schemas` names it", DATASCHEMA_MAX_BYTES),
  datacontenttype: text("The media type of `data`", DATACONTENTTYPE_MAX_BYTES),
  specversion: { description: "The version of CloudEvents" },
  data: {
    type: ["object", "array", "string", "number", "boolean", "null"],
    description: "Any JSON. Numbers keep their digits, strings every character",
  },
  data_base64: { description: "Data that is neither JSON nor text, in base64", contentEncoding: "base64" },
};
