import * as z from "zod";
import { datacontenttype, dataschema, source, subject, text, time, type } from "./attributes.ts";
import { ID_MAX_BYTES } from "./limits.ts";
import { once } from "./once.ts";

/** The forms in which clients write an event. Ingest writes each in the form of core/event.ts. */

/** `.` and `..` are steps in a URL, so `GET /events/{id}` could not name such events. */
const id = once(() => text(ID_MAX_BYTES).refine((value) => value !== "." && value !== "..", "must not be . or .."));

const optionalAttributes = () => ({
  subject: subject(),
  time: time().optional(),
  dataschema: dataschema(),
  datacontenttype: datacontenttype(),
});

/**
 * An event in the plain JSON form: CloudEvents attributes beside `data`. Only attributes that cannot be generated are
 * required. Other names are extension attributes. An event with `specversion` is read in the form of CloudEvents, wherever
 * plain JSON may be sent.
 */
export const plainEvent = once(() =>
  z
    .object({
      id: id().optional(),
      source: source(),
      type: type(),
      ...optionalAttributes(),
      specversion: z.literal("1.0").optional(),
      data: z.unknown(),
    })
    .catchall(z.unknown()),
);

/**
 * An event in the JSON format of CloudEvents 1.0. Other names are extension attributes.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export const cloudEvent = once(() =>
  z
    .object({
      specversion: z.literal(
        "1.0",
        'expected "1.0"; an event without specversion is plain JSON, which is application/json',
      ),
      id: id(),
      source: source(),
      type: type(),
      ...optionalAttributes(),
      data: z.unknown().optional(),
      data_base64: z.base64().optional(),
    })
    .catchall(z.unknown())
    .refine((event) => event["data"] === undefined || event["data_base64"] === undefined, {
      error: "has data and data_base64; send one of them",
      path: ["data_base64"],
    }),
);
