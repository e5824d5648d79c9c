import type { FeedPlace } from "./feed.ts";
import type { AllowedEvents } from "./ports.ts";

/**
 * A subscription (decision 0029): a cursor over the feed of a tenant with a filter. Its events become deliveries, which are sent
 * to its sink until it confirms them.
 */

export const SUBSCRIPTION_ID = /^sub_[0-9a-f]{32}$/;
export const SUBSCRIPTION_ID_ERROR = "is no id of a subscription: sub_ and 32 characters of 0-9 and a-f";

/** `none`: as fast as possible. `subject`: of the events of one subject one at a time, in the order of the feed. */
export const DELIVERY_ORDERS = ["none", "subject"] as const;

/** `standard`: the ten tries of RETRY_SCHEDULE_SECONDS. `doubling`: twice the wait each time, for as long. */
export const RETRY_SCHEDULES = ["standard", "doubling"] as const;

/** `active`: it delivers. `disabled`: it delivers nothing, and loses nothing. */
export const SUBSCRIPTION_STATES = ["active", "disabled"] as const;

/** Why a subscription is disabled: somebody asked for it; its sink answered 410; its sink failed for DISABLE_AFTER_HOURS. */
export const DISABLED_REASONS = ["requested", "sink_ended", "sink_failing"] as const;

/** The forms of the body of a webhook. `batch` is what `structured` becomes where `batch` is above 1. */
export const WEBHOOK_FORMATS = ["structured", "binary"] as const;

/** The destination of a subscription, without its secrets. */
export type Sink =
  | { type: "webhook"; url: string; format?: (typeof WEBHOOK_FORMATS)[number]; headers?: Record<string, string> }
  | { type: "email"; to: string[] }
  | { type: "slack"; url: string }
  | { type: "sns"; topicArn: string }
  | { type: "sqs"; queueUrl: string };

export type SinkType = Sink["type"];

export type Subscription = {
  id: string;
  tenant: string;
  name: string;
  /** The JSON text of the filter, so that its numbers keep their digits; undefined for all events. */
  filter: string | undefined;
  /** The events that the key that made it may read: the subscription gets no others. */
  allowed: AllowedEvents;
  sink: Sink;
  order: (typeof DELIVERY_ORDERS)[number];
  schedule: (typeof RETRY_SCHEDULES)[number];
  /** Events of one request, 1 to DELIVERY_BATCH_MAX. Above 1 only for webhooks in order `none`. */
  batch: number;
  /** Events a second on average; undefined without a bound. */
  rate: number | undefined;
  timeoutMs: number;
  state: (typeof SUBSCRIPTION_STATES)[number];
  disabledReason: (typeof DISABLED_REASONS)[number] | undefined;
  disabledAt: string | undefined;
  /** Since when no attempt has succeeded; undefined where the last one did. */
  failingSince: string | undefined;
  /** Until when the circuit keeps attempts back; undefined where it is closed. */
  openUntil: string | undefined;
  keyId: string;
  createdAt: string;
  updatedAt: string;
};

/** The place where a subscription begins, or goes on: behind all that is stored now, at a time of receipt, or at a cursor of the feed. */
export type Start = { kind: "now" } | { kind: "time"; at: string } | { kind: "place"; place: FeedPlace };

/** A key under which webhooks are signed, sealed (core/seal-secret.ts). `until`: it was rotated, and signs too until then. */
export type SealedSecret = { number: number; sealed: string; createdAt: string; until: string | undefined };
