import * as z from "zod";
import { tenantRecord } from "./access.ts";
import { auditPage, keyPage, listedKey, madeKey, tenantPage } from "./access-answers.ts";
import { newKey, rotation, tenantChanges } from "./access-bodies.ts";
import { aggregateQuery } from "./aggregate-body.ts";
import { newExport } from "./export-bodies.ts";
import { consoleSchemas } from "./console-answers.ts";
import { signIn } from "./console-bodies.ts";
import { exportAnswer } from "./export-answers.ts";
import { deadLetterQuery } from "./dead-letter-bodies.ts";
import { type ErrorCode, errorTable, verdictCodes } from "./errors.ts";
import { cloudEvent, plainEvent } from "./event-forms.ts";
import { eventQuery } from "./list-bodies.ts";
import { PLANS } from "./list-reader.ts";
import { nextAfter } from "./next-after.ts";
import { deadLetterGroups, deadLetterPage, wholeDeadLetter } from "./dead-letter-answers.ts";
import { replayAnswer, replayPlan } from "./replay-answers.ts";
import { erasureAnswer, erasurePlan } from "./erasure-answers.ts";
import { newErasure } from "./erasure-bodies.ts";
import { holdSchemas } from "./hold-answers.ts";
import { holdRelease, newHold } from "./hold-bodies.ts";
import { restoreAnswer, restorePlan } from "./restore-answers.ts";
import { newRestore } from "./restore-bodies.ts";
import { refusalPage } from "./refusal-answers.ts";
import { newDiscard, newReplay } from "./replay-bodies.ts";
import { retentionPlan } from "./retention-answers.ts";
import { alarmsAnswer, historyAnswer, statusAnswer } from "./status-answers.ts";
import { subscriptionSchemas } from "./subscription-answers.ts";
import {
  newRedelivery,
  newSubscription,
  secretRotation,
  seekBody,
  subscriptionChanges,
  subscriptionTest,
} from "./subscription-bodies.ts";

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
      "`duplicate`: an equal copy of an event in the same request. `retry`: valid, but the queue did not confirm it, or a limit of the tenant or the key was reached; send it again, after `Retry-After` where the answer has it.",
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
    ...cloudEvent().shape,
    tenant: z.string().meta({ description: "Added by Sluice" }),
    receivedat: z.iso.datetime().meta({ description: "Added by Sluice: when the event was accepted" }),
  })
  .catchall(z.unknown());

/** An event as the archive has it. */
const archivedEvent = storedEvent.extend({
  storedat: z.iso.datetime().meta({ description: "Added by the archive: when it was stored" }),
});

/** The answer to `GET /events` and `POST /events/query`. */
export const eventPage = z.object({
  events: z.array(storedEvent.partial()).meta({
    description: "Each as `GET /events/{id}` returns it; with `select` the selected members alone",
  }),
  next: z.string().nullable().meta({ description: "The `cursor` of the next page; null at the end of the list" }),
  prev: z.string().nullable().meta({ description: "The `cursor` of the page before; null at the beginning" }),
  complete: z
    .boolean()
    .meta({ description: "False where the time was over before the page was full: go on with `next`" }),
  plan: z.enum(PLANS).meta({
    description:
      "`index`: the events were found by a field that the catalog declares, or by their ids. `scan`: some were searched",
  }),
  scanned: z.object({
    rows: z.int().nonnegative().meta({ description: "Events that were looked at for this page" }),
  }),
  count: z
    .object({
      value: z.int().nonnegative(),
      relation: z
        .enum(["eq", "gte", "estimate"])
        .meta({ description: "`eq`: exactly so many. `gte`: at least so many. `estimate`: about so many" }),
    })
    .optional()
    .meta({ description: "The events of the list, where `count` asks for it" }),
});

/** The answer to `GET /feed`. */
export const feedAnswer = z.object({
  events: z.array(storedEvent).meta({ description: "Each as `GET /events/{id}` returns it" }),
  next: z.string().meta({ description: "The `after` of the next request; always there, also where there is no event" }),
  lagMs: z
    .int()
    .nonnegative()
    .meta({ description: "The time for which an open transaction has held later events back; 0 where none does" }),
});

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

const count = z.int().nonnegative();

/** The answer to `POST /exports` with `plan`. */
const exportPlan = z.object({
  rows: count,
  relation: z
    .enum(["exact", "gte", "estimate"])
    .meta({ description: "`gte`: at least so many. `estimate`: the planner's estimate" }),
  sample: z.array(storedEvent).meta({ description: "The first of them" }),
});

/** The answer to `POST /events/aggregate`. */
const aggregate = z.object({
  rows: z.array(z.record(z.string(), z.unknown())).meta({
    description:
      "In the order of bucket and group: `bucket` is its beginning, a field has its value or null, a measure is a decimal number as a text, or null where the group has no number",
  }),
  metadata: z.object({
    from: z
      .enum(["rollup", "rows"])
      .meta({ description: "Whether events were read, or what was counted as they were stored" }),
    complete: z.boolean().meta({ description: "False where time or memory were over before the end of the range" }),
    reached: z.iso
      .datetime()
      .meta({ description: "The time of receipt before which every event counts; go on from here" }),
    droppedBefore: z.iso.datetime().optional().meta({
      description:
        "There where the range begins before it, and events were read: retention has dropped events of the tenant from before then, so only those that are left count",
    }),
    truncated: z.boolean().meta({ description: "True where there are more rows than are given" }),
    rows: z.int().nonnegative().meta({ description: "The number of all rows" }),
    rowLimit: z.int().positive(),
    scanned: z
      .object({ rows: z.int().nonnegative() })
      .optional()
      .meta({ description: "The number of events that were read" }),
    percentileError: z
      .number()
      .meta({ description: "The largest relative error of percentiles; 0 where they are exact" }),
    queryMs: z.int().nonnegative(),
  }),
});

/** The schemas of events and answers by their names in the OpenAPI document. */
export const schemas = {
  Event: plainEvent(),
  CloudEvent: cloudEvent(),
  Verdicts: ingestAnswer,
  Verdict: verdict,
  StoredEvent: storedEvent,
  Events: eventPage,
  EventQuery: eventQuery,
  Feed: feedAnswer,
  Problem: problem,
  Health: healthAnswer,
  AggregateQuery: aggregateQuery,
  Aggregate: aggregate,
  Types: typeList,
  NewKey: newKey,
  Rotation: rotation,
  Key: listedKey,
  MadeKey: madeKey,
  Keys: keyPage,
  TenantChanges: tenantChanges,
  Tenant: tenantRecord,
  Tenants: tenantPage,
  Audit: auditPage,
  NewExport: newExport,
  Export: exportAnswer,
  ExportPlan: exportPlan,
  Exports: z.object({ exports: z.array(exportAnswer), next: nextAfter }),
  DeadLetters: deadLetterPage,
  DeadLetter: wholeDeadLetter,
  DeadLetterGroups: deadLetterGroups,
  DeadLetterQuery: deadLetterQuery,
  NewReplay: newReplay,
  NewDiscard: newDiscard,
  Replay: replayAnswer,
  ReplayPlan: replayPlan,
  Replays: z.object({ replays: z.array(replayAnswer), next: nextAfter }),
  NewErasure: newErasure,
  Erasure: erasureAnswer,
  ErasurePlan: erasurePlan,
  Erasures: z.object({ erasures: z.array(erasureAnswer), next: nextAfter }),
  NewRestore: newRestore,
  Restore: restoreAnswer,
  RestorePlan: restorePlan,
  Restores: z.object({ restores: z.array(restoreAnswer), next: nextAfter }),
  RestoredEvents: z.object({
    events: z.array(archivedEvent).meta({ description: "In the order of their receipt" }),
    next: nextAfter,
  }),
  NewSubscription: newSubscription,
  SubscriptionChanges: subscriptionChanges,
  SubscriptionTest: subscriptionTest,
  Seek: seekBody,
  SecretRotation: secretRotation,
  NewRedelivery: newRedelivery,
  Refusals: refusalPage,
  ...subscriptionSchemas,
  Status: statusAnswer,
  StatusHistory: historyAnswer,
  StatusAlarms: alarmsAnswer,
  SignIn: signIn,
  ...consoleSchemas,
  RetentionPlan: retentionPlan,
  NewHold: newHold,
  HoldRelease: holdRelease,
  ...holdSchemas,
} satisfies Record<string, z.core.$ZodType>;

export type SchemaName = keyof typeof schemas;
