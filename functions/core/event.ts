import * as z from "zod";
import {
  DATACONTENTTYPE_MAX_BYTES,
  DATASCHEMA_MAX_BYTES,
  EXTENSION_NAME_MAX_CHARACTERS,
  EXTENSION_VALUE_MAX_BYTES,
  EXTENSIONS_MAX,
  ID_MAX_BYTES,
  SOURCE_MAX_BYTES,
  SUBJECT_MAX_BYTES,
  TYPE_MAX_BYTES,
} from "./limits.ts";
import { fitsUtf8 } from "./utf8.ts";

/** RFC 3339, in the range PostgreSQL takes: no year 0000, offsets below 16 hours. */
const time = z.iso
  .datetime({ offset: true, error: "expected an RFC 3339 time with an offset, for example 2026-11-21T09:30:00Z" })
  .max(64)
  .refine((text) => !text.startsWith("0000"), "expected a year from 0001 to 9999")
  .refine((text) => !/[+-](1[6-9]|2\d):\d\d$/.test(text), "expected an offset below 16 hours");

/** `.` and `..` are steps in a URL, so `GET /events/{id}` could not name them. */
const id = text(ID_MAX_BYTES).refine((value) => value !== "." && value !== "..", "must not be . or ..");

const optionalAttributes = {
  subject: text(SUBJECT_MAX_BYTES).optional(),
  time: time.optional(),
  dataschema: text(DATASCHEMA_MAX_BYTES).optional(),
  datacontenttype: text(DATACONTENTTYPE_MAX_BYTES).optional(),
};

/**
 * An event in the plain JSON form: CloudEvents attributes beside `data`, of which only what cannot be made up is
 * required. Names that are not here are extension attributes.
 */
export const plainEvent = z
  .object({
    id: id.optional(),
    source: text(SOURCE_MAX_BYTES),
    type: text(TYPE_MAX_BYTES),
    ...optionalAttributes,
    specversion: z.literal("1.0").optional(),
    data: z.unknown(),
  })
  .catchall(z.unknown());

/**
 * An event as CloudEvents 1.0 has it. Names that are not here are extension attributes.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export const cloudEvent = z
  .object({
    specversion: z.literal("1.0"),
    id,
    source: text(SOURCE_MAX_BYTES),
    type: text(TYPE_MAX_BYTES),
    ...optionalAttributes,
    data: z.unknown().optional(),
    data_base64: z.base64().optional(),
  })
  .catchall(z.unknown())
  .refine((event) => event["data"] === undefined || event["data_base64"] === undefined, {
    error: "has data and data_base64; send one of them",
    path: ["data_base64"],
  });

/**
 * A CloudEvents extension attribute's value: string, boolean or 32-bit integer.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system
 */
export const extensionValue = z.union([text(EXTENSION_VALUE_MAX_BYTES), z.boolean(), z.int32()], {
  error: `expected a string of at most ${EXTENSION_VALUE_MAX_BYTES} bytes, a boolean or a 32-bit integer`,
});

export const extensionName = z
  .string()
  .refine((name) => name !== "tenant", "is set by Sluice; send it under another name")
  .regex(
    new RegExp(`^[a-z0-9]{1,${EXTENSION_NAME_MAX_CHARACTERS}}$`),
    `is no attribute of an event; an extension attribute has 1 to ${EXTENSION_NAME_MAX_CHARACTERS} characters of a-z and 0-9`,
  );

/**
 * An event that passed the door, as it travels in a queue message and is written to the database. Other members, which
 * are `specversion` alone, are left out by who reads it.
 */
export const event = z.object({
  id: text(ID_MAX_BYTES),
  source: text(SOURCE_MAX_BYTES),
  type: text(TYPE_MAX_BYTES),
  subject: text(SUBJECT_MAX_BYTES).optional(),
  /** As sent, so that it comes back letter for letter. */
  time,
  dataschema: text(DATASCHEMA_MAX_BYTES).optional(),
  datacontenttype: text(DATACONTENTTYPE_MAX_BYTES).optional(),
  extensions: z
    .record(extensionName, extensionValue)
    .refine((all) => Object.keys(all).length <= EXTENSIONS_MAX)
    .optional(),
  /** Absent where the event has no data; `null` is a value. */
  data: z.unknown().optional(),
  /** Data that is neither JSON nor text. */
  data_base64: z.base64().optional(),
});

export type Event = z.output<typeof event>;

/** A non-empty string of at most `maxBytes` bytes of UTF-8. */
function text(maxBytes: number) {
  return z
    .string()
    .min(1, "must not be empty")
    .refine((value) => fitsUtf8(value, maxBytes), {
      error: (issue) =>
        `has ${typeof issue.input === "string" ? Buffer.byteLength(issue.input) : "too many"} bytes, at most ${maxBytes} are allowed`,
      params: { code: "too_big" },
    });
}
