import * as z from "zod";
import { type ErrorCode, errorTable, verdictCodes } from "./errors.ts";
import { cloudEvent, plainEvent } from "./event-forms.ts";

/** The schemas of all answers. Their types and the OpenAPI document derive from them. */

const eventError = z.object({
  path: z.string().meta({ description: "JSON Pointer (RFC 6901) to the field; empty for the event as a whole" }),
  code: z.enum(verdictCodes).meta({ description: "Stable; docs/errors.md lists them" }),
  message: z.string().meta({ description: "For people; may change" }),
});

/** The verdict about one event. Of the events around it, only another one with its key has a part in it. */
export const verdict = z.object({
  index: z.int().nonnegative().meta({ description: "Place in the request, from 0" }),
  line: z.int().positive().optional().meta({ description: "Of NDJSON: the event's line, from 1, empty lines counted" }),
  id: z.string().optional().meta({ description: "As sent, or generated" }),
  status: z.enum(["accepted", "invalid", "duplicate", "retry"]).meta({
    description:
      "`duplicate`: an equal copy of an event in the same request. `retry`: valid, but the queue did not confirm it; send it again.",
  }),
  unchecked: z
    .literal(true)
    .optional()
    .meta({ description: "`data` was not checked: the catalog does not have the type, or not this version of it" }),
  errors: z.array(eventError).optional(),
});

/** The answer to `POST /events`. */
export const ingestAnswer = z.object({
  accepted: z.int().nonnegative().meta({ description: "Events with the status `accepted`" }),
  rejected: z.int().nonnegative().meta({ description: "Events with the status `invalid` or `retry`" }),
  results: z.array(verdict).meta({ description: "A verdict for each event, in the order of the request" }),
});

/** An event as `GET /events/{id}` returns it: as it was sent, with two members added by Sluice. */
const storedEvent = z
  .object({
    ...cloudEvent.shape,
    tenant: z.string().meta({ description: "Added by Sluice" }),
    receivedat: z.iso.datetime().meta({ description: "Added by Sluice: when the event was accepted" }),
  })
  .catchall(z.unknown());

/** A request that failed as a whole. @see RFC 9457 */
export const problem = z.looseObject({
  title: z.string(),
  status: z.int(),
  detail: z.string().meta({ description: "What to do next; for people, may change" }),
  code: z.enum(Object.keys(errorTable) as ErrorCode[]).meta({ description: "Stable" }),
  requestId: z.string().meta({ description: "The operator finds the request by it" }),
});

const healthAnswer = z.object({ status: z.literal("ok") });

/** The answer to `GET /schemas`. */
const typeList = z.object({
  types: z.array(
    z.object({
      type: z.string(),
      versions: z
        .array(
          z.object({
            dataschema: z
              .string()
              .optional()
              .meta({ description: "Names the version in an event; missing where the oldest version has no name" }),
            link: z.string().meta({ description: "The version's schema, relative to this document" }),
          }),
        )
        .meta({ description: "Oldest first; an event without `dataschema` means the first" }),
    }),
  ),
});

export type TypeList = z.output<typeof typeList>;

/** The schemas of events and answers by their names in the OpenAPI document. */
export const schemas = {
  Event: plainEvent,
  CloudEvent: cloudEvent,
  Verdicts: ingestAnswer,
  Verdict: verdict,
  StoredEvent: storedEvent,
  Problem: problem,
  Health: healthAnswer,
  Types: typeList,
} satisfies Record<string, z.ZodType>;

export type SchemaName = keyof typeof schemas;
