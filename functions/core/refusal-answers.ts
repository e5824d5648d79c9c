import * as z from "zod";

/** The schemas of answers about refusals. */

const refusalSample = z.object({
  at: z.iso.datetime(),
  keyId: z.string().meta({ description: "The id of the key that sent it" }),
  requestId: z.string(),
  userAgent: z.string().optional(),
  id: z.string().optional().meta({ description: "Of the event, as it was sent" }),
  source: z.string().optional().meta({ description: "Of the event, as it was sent" }),
  members: z.record(z.string(), z.string()).optional().meta({
    description: "The object around the error: its members, each with type and length of the value, and no value",
  }),
});

const refusalGroup = z.object({
  tenant: z.string(),
  day: z.iso.date().meta({ description: "UTC" }),
  code: z.string().meta({ description: "docs/errors.md lists them; `others` where a day has too many groups" }),
  type: z
    .string()
    .optional()
    .meta({ description: "Of the events; missing where they had none, or the request was refused" }),
  pointer: z.string().meta({ description: "JSON Pointer (RFC 6901) to the error, with `*` for every index" }),
  count: z.int().positive().meta({ description: "Events with this error; requests, where the request was refused" }),
  first: z.iso.datetime(),
  last: z.iso.datetime(),
  samples: z.array(refusalSample).meta({ description: "The latest ones" }),
});

export type RefusalAnswer = z.output<typeof refusalGroup>;

/** The answer to `GET /refusals`. */
export const refusalPage = z.object({
  groups: z.array(refusalGroup).meta({ description: "The latest day first, and in it the largest group first" }),
  next: z.string().nullable().meta({ description: "The `cursor` of the next page; null at the end" }),
});
