import * as z from "zod";
import {
  DATACONTENTTYPE_MAX_BYTES,
  DATASCHEMA_MAX_BYTES,
  EXTENSION_NAME_MAX_CHARACTERS,
  EXTENSION_VALUE_MAX_BYTES,
  SOURCE_MAX_BYTES,
  SUBJECT_MAX_BYTES,
  TIME_MAX_CHARACTERS,
  TYPE_MAX_BYTES,
} from "./limits.ts";
import { once } from "./once.ts";
import { isRfc3339 } from "./rfc3339.ts";
import { fitsUtf8 } from "./fits-utf8.ts";

const RFC_3339 =
  "expected an RFC 3339 time with an offset, for example 2026-11-21T09:30:00Z; seconds are 60 only at the end of a month in UTC";

const FORMAT = { params: { code: "invalid_format" } };

/** RFC 3339, in the range that PostgreSQL accepts: no year 0000, offsets below 16 hours. */
export const time = once(() =>
  z
    .string(RFC_3339)
    .max(TIME_MAX_CHARACTERS)
    .refine(isRfc3339, { error: RFC_3339, ...FORMAT })
    .refine((text) => !text.startsWith("0000"), { error: "expected a year from 0001 to 9999", ...FORMAT })
    .refine((text) => !/[+-](1[6-9]|2\d):\d\d$/.test(text), { error: "expected an offset below 16 hours", ...FORMAT })
    .meta({ format: "date-time" }),
);

export const source = once(() => text(SOURCE_MAX_BYTES));
export const type = once(() => text(TYPE_MAX_BYTES));
export const subject = once(() => text(SUBJECT_MAX_BYTES).optional());
export const dataschema = once(() => text(DATASCHEMA_MAX_BYTES).optional());
export const datacontenttype = once(() => text(DATACONTENTTYPE_MAX_BYTES).optional());

/**
 * A CloudEvents extension attribute's value: string, boolean or 32-bit integer.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system
 */
export const extensionValue = once(() =>
  z.union([text(EXTENSION_VALUE_MAX_BYTES), z.boolean(), z.int32()], {
    error: `expected a string of at most ${EXTENSION_VALUE_MAX_BYTES} bytes, a boolean or a 32-bit integer`,
  }),
);

/** Extension attributes that Sluice adds to an event that is read; `storedat` to one of the archive. */
export const SET_BY_SLUICE: ReadonlySet<string> = new Set(["tenant", "receivedat", "storedat"]);

export const extensionName = once(() =>
  z
    .string()
    .refine((name) => !SET_BY_SLUICE.has(name), "is set by Sluice; send it under another name")
    .regex(
      new RegExp(`^[a-z0-9]{1,${EXTENSION_NAME_MAX_CHARACTERS}}$`),
      `is no attribute of an event; an extension attribute has 1 to ${EXTENSION_NAME_MAX_CHARACTERS} characters of a-z and 0-9`,
    ),
);

/** A non-empty string of at most `maxBytes` bytes of UTF-8. */
export function text(maxBytes: number) {
  return z
    .string()
    .min(1, "must not be empty")
    .refine((value) => fitsUtf8(value, maxBytes), {
      error: (issue) =>
        `has ${typeof issue.input === "string" ? Buffer.byteLength(issue.input) : "too many"} bytes, at most ${maxBytes} are allowed`,
      params: { code: "too_big" },
    });
}
