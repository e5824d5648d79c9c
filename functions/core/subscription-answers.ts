import * as z from "zod";
import { ATTEMPT_STATUSES, DELIVERY_STATES } from "./delivery.ts";
import { DELIVERY_ORDERS, DISABLED_REASONS, RETRY_SCHEDULES, SUBSCRIPTION_STATES } from "./subscription.ts";
import { MASK } from "./subscription-bodies.ts";

/** The schemas of answers about subscriptions. */

const count = z.int().nonnegative();
const time = z.iso.datetime();
const next = z.string().nullable().meta({ description: "The `after` of the rest; null at the end" });
const code = z.int().nullable().meta({ description: "The HTTP status; null where there was no answer" });

const patterns = z.array(z.string()).optional();

const subscription = z.object({
  id: z.string(),
  name: z.string(),
  filter: z.unknown().optional().meta({ description: "Missing: every event" }),
  sink: z
    .looseObject({ type: z.string() })
    .meta({ description: `As it was sent, with \`${MASK}\` for what others should not see` }),
  order: z.enum(DELIVERY_ORDERS),
  schedule: z.enum(RETRY_SCHEDULES),
  batch: z.int().positive(),
  rate: z.int().positive().optional(),
  timeoutMs: z.int().positive(),
  types: patterns.meta({ description: "The types that the key which made it may read; it gets no others" }),
  sources: patterns.meta({ description: "The same for sources" }),
  state: z.enum(SUBSCRIPTION_STATES).meta({ description: "`disabled`: it delivers nothing, and loses nothing" }),
  disabledReason: z.enum(DISABLED_REASONS).optional(),
  disabledAt: time.optional(),
  failingSince: time.optional().meta({ description: "The first failure after the last success" }),
  openUntil: time.optional().meta({ description: "Until when the circuit keeps attempts back" }),
  keyId: z.string().meta({ description: "The id of the key that made it" }),
  createdAt: time,
  updatedAt: time,
});

export type SubscriptionAnswer = z.output<typeof subscription>;

const secrets = {
  secret: z
    .string()
    .optional()
    .meta({ description: "Of a webhook: the key of the signatures `v1`. It is in this answer only" }),
  publicKey: z.string().optional().meta({ description: "Of a webhook: the public key of the signatures `v1a`" }),
};

/** The answer to `POST /subscriptions`. Its events are texts that are never parsed. */
const madeSubscription = z.object({
  ...subscription.shape,
  ...secrets,
  warning: z.string().optional().meta({ description: "For people: something that is probably not meant" }),
  matches: z
    .object({
      count,
      complete: z
        .boolean()
        .meta({ description: "False where there are more, or may be: the count has a bound, and its time has one" }),
      events: z.array(z.looseObject({})).meta({ description: "The newest of them" }),
    })
    .meta({ description: "The events of the last day that match" }),
});

const rotatedSubscription = z.object({ ...subscription.shape, ...secrets });

/** The answer to `GET /subscriptions/{id}`. */
const wholeSubscription = z.object({
  ...subscription.shape,
  ledger: z
    .object({ matched: count, delivered: count, pending: count, failed: count, skipped: count })
    .meta({ description: "What became of the events that matched: `matched` is the sum of the others" }),
});

const testAnswer = z.object({
  matches: z.boolean(),
  why: z
    .array(
      z.object({
        pointer: z.string().meta({ description: "JSON Pointer to the part of the filter that does not hold" }),
        message: z.string().meta({ description: "For people; may change" }),
      }),
    )
    .meta({ description: "Why it does not match; empty where it does" }),
});

const attempt = z.object({
  eventId: z.string(),
  deliveryId: z.string().meta({ description: "The `webhook-id` of a single event; the same in each attempt" }),
  number: z.int().positive().meta({ description: "Of the delivery, from 1" }),
  status: z.enum(ATTEMPT_STATUSES).meta({
    description: "`later`: it is tried again. `failed`: it was the last attempt, or the sink refused for good",
  }),
  code,
  at: time,
  durationMs: count,
  error: z.string().optional().meta({ description: "For people" }),
  response: z.string().optional().meta({ description: "The beginning of the answer, redacted" }),
});

export type AttemptAnswer = z.output<typeof attempt>;

const delivery = z.object({
  id: z.string(),
  eventId: z.string(),
  eventSource: z.string(),
  eventType: z.string(),
  state: z.enum(DELIVERY_STATES).meta({ description: "`skipped`: its event was no longer retained" }),
  attempts: count,
  dueAt: time.optional().meta({ description: "When it is tried next" }),
  lastAt: time.optional().meta({ description: "When it was tried last" }),
  code: code.meta({ description: "The HTTP status of its last attempt; null where there was none" }),
  error: z.string().optional(),
});

export type DeliveryAnswer = z.output<typeof delivery>;

const failureGroup = z.object({
  code,
  error: z.string(),
  count,
  firstAt: time,
  lastAt: time,
  sample: delivery,
});

export type FailureGroupAnswer = z.output<typeof failureGroup>;

const redelivery = z.object({
  id: z.string(),
  subscriptionId: z.string(),
  state: z.enum(["running", "done", "cancelled"]),
  planned: count.meta({ description: "Failed deliveries that matched at its start" }),
  taken: count.meta({ description: "Of these, deliveries that are pending again, or were" }),
  delivered: count.meta({ description: "Of these, deliveries that the sink has confirmed since" }),
  failed: count.meta({ description: "Of these, deliveries that have failed again" }),
  request: z.object({
    filter: z.unknown().optional(),
    codes: z.array(z.int()).optional(),
    from: z.string().optional(),
    to: z.string().optional(),
    limit: count.optional(),
  }),
  keyId: z.string().meta({ description: "The id of the key that started it" }),
  createdAt: time,
  finishedAt: time.optional(),
});

export type RedeliveryAnswer = z.output<typeof redelivery>;

/** The answer to a request with `dryRun`. */
const redeliveryPlan = z.object({
  state: z.literal("planned"),
  planned: count.meta({ description: "Failed deliveries that it would take now" }),
  until: z.iso.datetime().meta({ description: "All of them were tried last before: `to` of the start" }),
  sample: z.array(delivery).meta({ description: "Some of them" }),
});

/** By their names in the OpenAPI document. */
export const subscriptionSchemas = {
  Subscription: subscription,
  MadeSubscription: madeSubscription,
  RotatedSubscription: rotatedSubscription,
  WholeSubscription: wholeSubscription,
  Subscriptions: z.object({ subscriptions: z.array(subscription), next }),
  SubscriptionTestAnswer: testAnswer,
  Attempts: z.object({ attempts: z.array(attempt), next }),
  Deliveries: z.object({ deliveries: z.array(delivery), next }),
  Failures: z.object({ groups: z.array(failureGroup).meta({ description: "The largest first" }) }),
  Redelivery: redelivery,
  RedeliveryPlan: redeliveryPlan,
  Redeliveries: z.object({ retries: z.array(redelivery), next }),
};
