import { RETRY_SCHEDULES } from "../core/subscription.ts";
import { SECRET_OVERLAP_DEFAULT_HOURS } from "../core/subscription-limits.ts";

/** Examples of subscriptions in the OpenAPI document. */

const type = "com.example.order.placed";
const url = "https://hooks.example.com/orders";

/** Bodies of `POST /subscriptions`. */
export const newSubscriptions = {
  webhook: {
    summary: "Orders over a hundred, by a webhook",
    value: {
      name: "large orders",
      filter: { all: [{ exact: { type } }, { data: { total: [{ numeric: [">=", 100] }] } }] },
      sink: { type: "webhook", url, headers: { "X-Token": "token-of-the-receiver" } },
      order: "subject",
      rate: 50,
    },
  },
  mail: {
    summary: "Subscriptions that fail, by e-mail",
    value: {
      name: "failing sinks",
      filter: { prefix: { type: "sluice." } },
      sink: { type: "email", to: ["operators@example.com"] },
    },
  },
  replay: {
    summary: "Everything since November, in batches",
    value: {
      name: "warehouse",
      sink: { type: "webhook", url: "https://warehouse.example.com/events" },
      from: "2026-11-01T00:00:00Z",
      schedule: RETRY_SCHEDULES[1],
      batch: 100,
    },
  },
};

/** Bodies of `PUT /subscriptions/{id}`. */
export const subscriptionChanges = {
  rate: { summary: "Slower, and every event", value: { rate: 10, filter: null } },
};

export const seeks = { time: { summary: "Everything of a day again", value: { from: "2026-11-28T00:00:00Z" } } };

export const secretRotations = {
  day: { summary: "The old secret signs for a day more", value: { overlapHours: SECRET_OVERLAP_DEFAULT_HOURS } },
};

/** Bodies of `POST /subscriptions/{id}/retry`. */
export const newRedeliveries = {
  plan: { summary: "How many would it be?", value: { codes: [500, 503], dryRun: true } },
  day: { summary: "Those of a day", value: { from: "2026-11-28T00:00:00Z", to: "2026-11-29T00:00:00Z" } },
};

/** Bodies of `POST /subscriptions/test`. */
export const subscriptionTests = {
  whole: {
    summary: "An event that is given whole",
    value: {
      filter: newSubscriptions.webhook.value.filter,
      event: { type, source: "/shop", data: { total: 9.5 } },
    },
  },
};

export const subscription = {
  id: "sub_019aa9d5c0f37a7c8f1d2b3a4c5d6e7f",
  name: "large orders",
  filter: newSubscriptions.webhook.value.filter,
  sink: { type: "webhook", url, headers: { "X-Token": "***" } },
  order: "subject",
  schedule: "standard",
  batch: 1,
  rate: 50,
  timeoutMs: 15_000,
  state: "active",
  keyId: "4fQ0v7xYbN2k",
  createdAt: "2026-11-28T09:30:00.000Z",
  updatedAt: "2026-11-28T09:30:00.000Z",
} as const;

export const disabledSubscription = {
  ...subscription,
  state: "disabled",
  disabledReason: "requested",
  disabledAt: "2026-11-28T10:00:00.000Z",
} as const;

/** Of no subscription: base64 of a text that says so. */
export const secret = {
  secret: "whsec_ZXhhbXBsZSBvbmx5LCBub3QgYSBzZWNyZXQhIQ==",
  publicKey: "whpk_ZXhhbXBsZSBvbmx5LCBub3QgYSBwdWJsaWMga2V5",
};

export const ledger = { matched: 1_200, delivered: 1_150, pending: 20, failed: 30, skipped: 0 };

const eventId = "order-1";
const deliveryId = "dlv_4f1c0e6a9b7d4c52a8f3e1d0c9b8a7f6";

export const attempt = {
  eventId,
  deliveryId,
  number: 2,
  status: "later",
  code: 503,
  at: "2026-11-28T09:35:05.000Z",
  durationMs: 212,
  error: "The sink answered with status 503.",
  response: "busy",
} as const;

export const failedDelivery = {
  id: deliveryId,
  eventId,
  eventSource: "/shop",
  eventType: type,
  state: "failed",
  attempts: 10,
  lastAt: attempt.at,
  code: attempt.code,
  error: attempt.error,
} as const;

export const failureGroup = {
  code: attempt.code,
  error: attempt.error,
  count: 30,
  firstAt: "2026-11-28T09:30:05.000Z",
  lastAt: attempt.at,
  sample: failedDelivery,
};

/** A redelivery under way. */
export const redelivery = {
  id: "rdl_019aa9d5c0f37a7c8f1d2b3a4c5d6e80",
  subscriptionId: subscription.id,
  state: "running",
  planned: 30,
  taken: 30,
  delivered: 12,
  failed: 0,
  request: { from: "2026-11-28T00:00:00.000000Z", to: "2026-11-29T00:00:00.000000Z" },
  keyId: subscription.keyId,
  createdAt: "2026-11-29T08:00:00.000Z",
} as const;

/** The same when it is done. */
export const doneRedelivery = {
  ...redelivery,
  state: "done",
  delivered: 29,
  failed: 1,
  finishedAt: "2026-11-29T08:00:09.000Z",
} as const;
