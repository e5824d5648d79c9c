import * as z from "zod";
import { HISTORY_SPANS, SPAN_NAMES } from "./history.ts";
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

const account = z.object({
  accepted: count.meta({ description: "Events that arrived or are known to be in the queue, each once" }),
  stored: count,
  copies: count.meta({ description: "Events whose key was stored already, with the same content" }),
  conflicts: count.meta({ description: "The same with other content: the first is kept" }),
  open: count.meta({ description: "Dead letters about which nobody has decided" }),
  replayed: count.meta({ description: "Dead letters that are sent again, and not stored yet" }),
  discarded: count.meta({ description: "Dead letters that somebody gave up, and events that an erasure keeps out" }),
  inFlight: count.meta({ description: "Events on their way: accepted, and not yet in a count when it was taken" }),
  difference: z.int().meta({
    description:
      "`accepted` less the other counts but `inFlight`, which it equals; 0 at rest. Anything else is a fault of Sluice",
  }),
});

const takenAt = z.iso
  .datetime()
  .optional()
  .meta({ description: "When the counts were taken from the database; missing before the first time" });

const ledger = z.object({
  takenAt,
  ...account.shape,
  tenants: z
    .array(z.object({ tenant: z.string(), ...account.shape }))
    .optional()
    .meta({ description: `Of all tenants: those with a difference first, then those with most events` }),
  moreTenants: count.optional().meta({ description: "Tenants that are not in the list" }),
});

const consumer = z.object({
  lagMs: count.optional().meta({ description: "The time from accepted to stored of the oldest event of a batch" }),
  lagAt: z.iso.datetime().optional().meta({ description: "The end of that batch" }),
  lastStoredAt: z.iso.datetime().optional().meta({ description: "When events were last stored" }),
});

const subscriptions = z.object({
  takenAt,
  active: count,
  disabled: count,
  pending: count.meta({ description: "Deliveries that are not finished" }),
});

const database = z.object({
  state: z.enum(["active", "idle"]).meta({
    description:
      "`active`: events were stored or the ledger was taken within five minutes, after which it may pause unless others use it. It is never asked",
  }),
  usedAt: z.iso.datetime().optional().meta({ description: "When Sluice last stored events or took the ledger" }),
});

/** The answer to `GET /status`. */
export const statusAnswer = z.object({
  at: z.iso.datetime().meta({ description: "When the request was answered" }),
  stage: z.string(),
  version: z.string().meta({ description: "Of Sluice" }),
  build: z.string().meta({ description: "Another one where any function has other code" }),
  tenant: z.string().meta({ description: "Whose numbers these are; `*` for the sums of all tenants" }),
  ledger: z.union([unavailable, ledger]),
  queues: z.union([unavailable, queueDepths]),
  consumer: z.union([unavailable, consumer]),
  subscriptions: z.union([unavailable, subscriptions]),
  database: z.union([unavailable, database]),
});

export type StatusAnswer = z.output<typeof statusAnswer>;

const historyPoint = z.object({
  at: z.iso.datetime().meta({ description: "The beginning of the interval" }),
  accepted: count.meta({ description: "Events that were accepted in it" }),
  stored: count.meta({ description: "Events that were stored in it" }),
  refused: count.meta({ description: "Events, and whole requests, that were refused in it" }),
  open: count.meta({ description: "Open dead letters at its end" }),
  lagMs: count.optional().meta({
    description: "The largest `lagMs` of the consumer that was seen in it; missing where nothing was stored",
  }),
});

/** The answer to `GET /status/history`. */
export const historyAnswer = z.object({
  tenant: z.string().meta({ description: "Whose numbers these are; `*` for the sums of all tenants" }),
  span: z.enum(SPAN_NAMES),
  stepSeconds: z
    .literal(SPAN_NAMES.map((name) => HISTORY_SPANS[name].stepSeconds))
    .meta({ description: "The length of an interval" }),
  takenAt,
  points: z
    .array(historyPoint)
    .meta({ description: "One for each interval of the span without a gap, the oldest first; the last one goes on" }),
});

export type HistoryAnswer = z.output<typeof historyAnswer>;

const openAlarm = z.object({
  name: z.string(),
  state: z.literal("ALARM"),
  since: z.iso.datetime().meta({ description: "When it went off" }),
  description: z.string().optional().meta({ description: "Its cause, as a sentence" }),
  reason: z.string().meta({ description: "The numbers for which it went off, in CloudWatch's words" }),
  runbook: z
    .string()
    .optional()
    .meta({ description: "The section that says what to do, for example `docs/runbook.md#ingest-errors`" }),
});

/** The answer to `GET /status/alarms`. */
export const alarmsAnswer = z.union([
  z.object({ at: z.iso.datetime(), ...unavailable.shape }),
  z.object({
    at: z.iso.datetime().meta({ description: "When CloudWatch was asked" }),
    counts: z
      .object({
        ok: count,
        alarm: count,
        insufficientData: count.meta({ description: "Alarms without a datapoint, as behind a deployment" }),
      })
      .meta({ description: "The alarms of the installation that notify, by state" }),
    alarms: z.array(openAlarm).meta({ description: "Those in the state ALARM, the latest first" }),
  }),
]);

export type AlarmsAnswer = z.output<typeof alarmsAnswer>;
