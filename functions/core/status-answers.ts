import * as z from "zod";
import { QUEUES } from "./queue-depths.ts";

/** The schemas of answers about the state of an installation. */

const count = z.int().nonnegative();

/** In place of a part that could not be read, while the others could. */
const unavailable = z.object({
  unavailable: z.string().meta({ description: "Why this part is missing; for people, may change" }),
});

const queueDepth = z.object({
  visible: count.meta({ description: "Messages that can be received" }),
  inFlight: count.meta({ description: "Messages that a function has received and not deleted" }),
  delayed: count.meta({ description: "Messages that can be received later" }),
});

const queueDepths = z
  .object({ at: z.iso.datetime(), ...Object.fromEntries(QUEUES.map((name) => [name, queueDepth])) } as {
    at: z.ZodISODateTime;
  } & Record<(typeof QUEUES)[number], typeof queueDepth>)
  .meta({ description: "Of the installation. SQS counts messages now and then: a count may be a minute old" });

/** The answer to `GET /status`. */
export const statusAnswer = z.object({
  at: z.iso.datetime().meta({ description: "When the request was answered" }),
  stage: z.string(),
  version: z.string().meta({ description: "Of Sluice" }),
  build: z.string().meta({ description: "Another one where any function has other code" }),
  tenant: z.string().meta({ description: "Whose numbers these are; `*` for the sums of all tenants" }),
  queues: z.union([queueDepths, unavailable]),
});

export type StatusAnswer = z.output<typeof statusAnswer>;
