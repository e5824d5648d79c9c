import * as z from "zod/mini";
import { CURSOR_MAX_CHARACTERS } from "../core/cursor-limits.ts";
import { ID_MAX_BYTES } from "../core/limits.ts";
import { instant } from "../core/list-bodies.ts";
import { ATTEMPT_STATUSES, DELIVERY_STATES } from "../core/delivery.ts";
import { IDEMPOTENCY_HOURS } from "../core/idempotency.ts";
import { REDELIVERY_ID, REDELIVERY_ID_ERROR } from "../core/redelivery.ts";
import { SUBSCRIPTION_ID, SUBSCRIPTION_ID_ERROR } from "../core/subscription.ts";
import { ATTEMPTS_PAGE, REDELIVERIES_PAGE, SUBSCRIPTIONS_PAGE } from "../core/subscription-limits.ts";
import { eventText } from "./event-text.ts";
import { number } from "./number.ts";
import type { Routes } from "./route.ts";

const json = "application/json";

const id = z
  .string(SUBSCRIPTION_ID_ERROR)
  .check(z.minLength(1, SUBSCRIPTION_ID_ERROR), z.regex(SUBSCRIPTION_ID, SUBSCRIPTION_ID_ERROR));
const retryId = z
  .string(REDELIVERY_ID_ERROR)
  .check(z.minLength(1, REDELIVERY_ID_ERROR), z.regex(REDELIVERY_ID, REDELIVERY_ID_ERROR));

const AFTER_ERROR = "is no `next` of a list";
const after = z
  .optional(z.string(AFTER_ERROR).check(z.minLength(1, AFTER_ERROR), z.maxLength(CURSOR_MAX_CHARACTERS, AFTER_ERROR)))
  .check(z.describe("`next` of the part before, sent with the same parameters"));
const limit = (most: number) =>
  number(`is no whole number from 1 to ${most}`, /^[1-9]\d{0,2}$/, most).check(
    z.describe(`At most so many; ${most} where it is missing, which is the most`),
  );

const event = z.optional(eventText(ID_MAX_BYTES)).check(z.describe("The id of the event"));

const GUIDE = { auth: "subscriptions", tag: "subscriptions", guide: "docs/subscriptions.md" } as const;
const BODY_ERRORS = ["malformed_body", "body_too_large", "unsupported_media_type"] as const;
const ONE_ERRORS = ["no_such_subscription", "database_unavailable"] as const;
const START_ERRORS = ["bad_cursor", "cursor_mismatch", "cursor_expired", "queue_unavailable"] as const;
const PAGE_ERRORS = [...ONE_ERRORS, "bad_cursor", "cursor_mismatch"] as const;
const asItIs = {
  200: { description: "The subscription as it is now", contentType: json, schema: "Subscription" },
} as const;

export const notifyRoutes = {
  createSubscription: {
    method: "POST",
    path: "/subscriptions",
    ...GUIDE,
    summary: "Subscribe to events",
    description: `Every event that matches, and is stored from \`from\` on, is sent to the sink until it confirms it. The answer has
the secret, which nobody can read again, and the events of the last day that match. The subscription gets no other types and sources
than the key that makes it may read.`,
    body: { description: "The events, and the sink", content: { [json]: { anyOf: ["NewSubscription"] } } },
    answers: {
      201: { description: "The subscription, with its secret", contentType: json, schema: "MadeSubscription" },
    },
    errors: [
      ...BODY_ERRORS,
      ...START_ERRORS,
      "bad_filter",
      "bad_sink",
      "too_many_subscriptions",
      "database_unavailable",
    ],
  },
  listSubscriptions: {
    method: "GET",
    path: "/subscriptions",
    ...GUIDE,
    summary: "List the subscriptions of the tenant",
    description: `Those that get no other types and sources than the key may read. A part may have fewer than \`limit\`: the end
is where \`next\` is null.`,
    query: { after, limit: limit(SUBSCRIPTIONS_PAGE) },
    answers: { 200: { description: "The subscriptions", contentType: json, schema: "Subscriptions" } },
    errors: ["bad_cursor", "cursor_mismatch", "database_unavailable"],
  },
  testSubscription: {
    method: "POST",
    path: "/subscriptions/test",
    ...GUIDE,
    summary: "Ask why an event matches a filter, or does not",
    description: "It changes nothing. The event is given whole, or by its `id` and `source` where it is stored.",
    body: {
      description: "The event, and a filter or the id of a subscription",
      content: { [json]: { anyOf: ["SubscriptionTest"] } },
    },
    answers: { 200: { description: "The reasons", contentType: json, schema: "SubscriptionTestAnswer" } },
    errors: [...BODY_ERRORS, ...ONE_ERRORS, "bad_filter", "not_found", "ambiguous_id"],
  },
  readSubscription: {
    method: "GET",
    path: "/subscriptions/{id}",
    ...GUIDE,
    summary: "Read a subscription and its ledger",
    parameters: { id },
    answers: { 200: { description: "All but its secrets", contentType: json, schema: "WholeSubscription" } },
    errors: ONE_ERRORS,
  },
  changeSubscription: {
    method: "PUT",
    path: "/subscriptions/{id}",
    ...GUIDE,
    summary: "Change members of a subscription",
    description: `Members that are missing stay as they are; null takes \`filter\` and \`rate\` away. Another filter counts for
events that are not dispatched yet; what is pending goes to the sink as it is now.`,
    parameters: { id },
    body: { description: "The members that change", content: { [json]: { anyOf: ["SubscriptionChanges"] } } },
    answers: asItIs,
    errors: [...BODY_ERRORS, ...ONE_ERRORS, "bad_filter", "bad_sink", "queue_unavailable"],
  },
  deleteSubscription: {
    method: "DELETE",
    path: "/subscriptions/{id}",
    ...GUIDE,
    summary: "Delete a subscription and everything that belongs to it",
    description: "What is pending is not sent any more. To stop it and lose nothing, disable it.",
    parameters: { id },
    answers: { 204: { description: "It is deleted" } },
    errors: ONE_ERRORS,
  },
  seekSubscription: {
    method: "POST",
    path: "/subscriptions/{id}/seek",
    ...GUIDE,
    summary: "Go on from another place in the feed",
    description: `What is pending stays. Events that matched already and are behind that place are sent again, with another
\`webhook-id\`.`,
    parameters: { id },
    body: { description: "The place", content: { [json]: { anyOf: ["Seek"] } } },
    answers: asItIs,
    errors: [...BODY_ERRORS, ...START_ERRORS, ...ONE_ERRORS],
  },
  disableSubscription: {
    method: "POST",
    path: "/subscriptions/{id}/disable",
    ...GUIDE,
    summary: "Stop the deliveries of a subscription",
    description: "It keeps its place and what is pending. Disabling it again changes nothing.",
    parameters: { id },
    answers: asItIs,
    errors: ONE_ERRORS,
  },
  enableSubscription: {
    method: "POST",
    path: "/subscriptions/{id}/enable",
    ...GUIDE,
    summary: "Go on with a subscription that is disabled or failing",
    description: "It closes the circuit, and everything that waits is tried now.",
    parameters: { id },
    answers: asItIs,
    errors: [...ONE_ERRORS, "queue_unavailable"],
  },
  rotateSecret: {
    method: "POST",
    path: "/subscriptions/{id}/rotate",
    ...GUIDE,
    summary: "Make a new secret",
    description: `The old one signs beside it for \`overlapHours\`. The body may be missing. The answer has the secret, which
nobody can read again.`,
    parameters: { id },
    body: { description: "The end of the old secret", content: { [json]: { anyOf: ["SecretRotation"] } } },
    answers: {
      200: { description: "The subscription, with its new secret", contentType: json, schema: "RotatedSubscription" },
    },
    errors: [...BODY_ERRORS, ...ONE_ERRORS, "sink_unsigned", "too_many_secrets"],
  },
  listAttempts: {
    method: "GET",
    path: "/subscriptions/{id}/attempts",
    ...GUIDE,
    summary: "List the attempts of a subscription, latest first",
    parameters: { id },
    query: {
      status: z
        .optional(z.enum(ATTEMPT_STATUSES, `is none of ${ATTEMPT_STATUSES.join(", ")}`))
        .check(z.describe("The result of the attempt")),
      code: number("is no HTTP status", /^[1-5]\d\d$/, 599).check(z.describe("The HTTP status of the answer")),
      event,
      from: z.optional(instant).check(z.describe("The earliest time of the attempt, which is in the range")),
      to: z.optional(instant).check(z.describe("The latest one, which is not in the range")),
      after,
      limit: limit(ATTEMPTS_PAGE),
    },
    answers: { 200: { description: "The attempts", contentType: json, schema: "Attempts" } },
    errors: PAGE_ERRORS,
  },
  listDeliveries: {
    method: "GET",
    path: "/subscriptions/{id}/deliveries",
    ...GUIDE,
    summary: "List the deliveries of a subscription",
    parameters: { id },
    query: {
      state: z
        .optional(z.enum(DELIVERY_STATES, `is none of ${DELIVERY_STATES.join(", ")}`))
        .check(z.describe("The state; `failed` are those that `POST …/retry` takes")),
      event,
      after,
      limit: limit(ATTEMPTS_PAGE),
    },
    answers: { 200: { description: "The deliveries", contentType: json, schema: "Deliveries" } },
    errors: PAGE_ERRORS,
  },
  groupFailures: {
    method: "GET",
    path: "/subscriptions/{id}/failures",
    ...GUIDE,
    summary: "Group the failed deliveries of a subscription by their cause",
    parameters: { id },
    answers: { 200: { description: "The groups", contentType: json, schema: "Failures" } },
    errors: ONE_ERRORS,
  },
  startRedelivery: {
    method: "POST",
    path: "/subscriptions/{id}/retry",
    ...GUIDE,
    summary: "Try failed deliveries again, or plan it",
    description: `A job makes the failed deliveries that match pending again, the oldest first. Each keeps its \`webhook-id\`, and
its schedule begins again. With \`"dryRun": true\` nothing starts: the answer says how many there are.`,
    parameters: { id },
    headers: {
      "Idempotency-Key": {
        description: `A text of the client's, for example a UUID. The same one with the same body within ${IDEMPOTENCY_HOURS} hours starts nothing and answers the job that it has started`,
      },
    },
    body: { description: "Which deliveries", content: { [json]: { anyOf: ["NewRedelivery"] } } },
    answers: {
      200: { description: "The plan", contentType: json, schema: "RedeliveryPlan" },
      202: {
        description: "The redelivery has started; `Location` has its progress",
        contentType: json,
        schema: "Redelivery",
      },
    },
    errors: [
      ...BODY_ERRORS,
      ...ONE_ERRORS,
      "bad_filter",
      "plan_changed",
      "too_many_redeliveries",
      "idempotency_key_reused",
      "queue_unavailable",
    ],
  },
  listRedeliveries: {
    method: "GET",
    path: "/subscriptions/{id}/retries",
    ...GUIDE,
    summary: "List the redeliveries of a subscription, latest first",
    parameters: { id },
    query: { after, limit: limit(REDELIVERIES_PAGE) },
    answers: { 200: { description: "The redeliveries", contentType: json, schema: "Redeliveries" } },
    errors: PAGE_ERRORS,
  },
  readRedelivery: {
    method: "GET",
    path: "/subscriptions/{id}/retries/{retryId}",
    ...GUIDE,
    summary: "Read the progress of a redelivery",
    parameters: { id, retryId },
    answers: { 200: { description: "The redelivery", contentType: json, schema: "Redelivery" } },
    errors: [...ONE_ERRORS, "no_such_redelivery"],
  },
  cancelRedelivery: {
    method: "POST",
    path: "/subscriptions/{id}/retries/{retryId}/cancel",
    ...GUIDE,
    summary: "Cancel a redelivery",
    description: "It takes no more deliveries; those that it took are tried. Cancelling it again changes nothing.",
    parameters: { id, retryId },
    answers: { 200: { description: "The redelivery as it is now", contentType: json, schema: "Redelivery" } },
    errors: [...ONE_ERRORS, "no_such_redelivery", "redelivery_finished"],
  },
} as const satisfies Routes;
