import * as z from "zod";
import {
  datacontenttype,
  dataschema,
  extensionName,
  extensionValue,
  source,
  subject,
  text,
  time,
  type,
} from "./attributes.ts";
import { EXTENSIONS_MAX, ID_MAX_BYTES } from "./limits.ts";
import { once } from "./once.ts";

/**
 * An accepted event, as it travels in a queue message and is written to the database. Readers ignore unknown members; the
 * only one that occurs is `specversion`.
 */
export const event = once(() =>
  z.object({
    id: text(ID_MAX_BYTES),
    source: source(),
    type: type(),
    subject: subject(),
    /** As sent, so that it comes back verbatim. */
    time: time(),
    dataschema: dataschema(),
    datacontenttype: datacontenttype(),
    extensions: z
      .record(extensionName(), extensionValue())
      .refine((all) => Object.keys(all).length <= EXTENSIONS_MAX)
      .optional(),
    /** Absent where the event has no data; `null` is a value. */
    data: z.unknown().optional(),
    /** Data that is neither JSON nor text. */
    data_base64: z.base64().optional(),
  }),
);

export type Event = z.output<ReturnType<typeof event>>;
