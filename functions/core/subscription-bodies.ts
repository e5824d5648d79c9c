import * as z from "zod/mini";
import { CURSOR_MAX_CHARACTERS } from "./cursor-limits.ts";
import { ID_MAX_BYTES, SOURCE_MAX_BYTES } from "./limits.ts";
import { instant } from "./list-bodies.ts";
import {
  DELIVERY_ORDERS,
  RETRY_SCHEDULES,
  SUBSCRIPTION_ID,
  SUBSCRIPTION_ID_ERROR,
  WEBHOOK_FORMATS,
} from "./subscription.ts";
import {
  DELIVERY_BATCH_MAX,
  DELIVERY_RATE_MAX,
  DELIVERY_TIMEOUT_DEFAULT_MS,
  DELIVERY_TIMEOUT_MAX_MS,
  DELIVERY_TIMEOUT_MIN_MS,
  EMAIL_TO_MAX,
  REDELIVERY_CODES_MAX,
  REDELIVERY_LIMIT_MAX,
  SECRET_OVERLAP_DEFAULT_HOURS,
  SECRET_OVERLAP_MAX_HOURS,
  SINK_HEADER_MAX_CHARACTERS,
  SINK_HEADERS_MAX,
  SINK_URL_MAX_CHARACTERS,
  SUBSCRIPTION_NAME_MAX_CHARACTERS,
} from "./subscription-limits.ts";

/** The bodies of requests to the function `notify`. Members that are not here are refused. */

/** Stands in answers for a text of a sink that others should not see. */
export const MASK = "***";

const NAME_ERROR = `is no text of 1 to ${SUBSCRIPTION_NAME_MAX_CHARACTERS} characters that can be shown`;
const name = z.string(NAME_ERROR).check(
  z.minLength(1, NAME_ERROR),
  z.maxLength(SUBSCRIPTION_NAME_MAX_CHARACTERS, NAME_ERROR),
  z.refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), NAME_ERROR),
  z.describe("For people"),
);

const filter = z
  .unknown()
  .check(z.describe("A filter of events as docs/filters.md describes it. Missing: every event"));

const ADDRESS_ERROR = `is no text of 1 to ${SINK_URL_MAX_CHARACTERS} characters without spaces and control characters`;
const address = z.string(ADDRESS_ERROR).check(
  z.minLength(1, ADDRESS_ERROR),
  z.maxLength(SINK_URL_MAX_CHARACTERS, ADDRESS_ERROR),
  z.refine((text) => text.isWellFormed() && !/[\p{Cc}\p{Z}]/u.test(text), ADDRESS_ERROR),
  z.refine((text) => !text.includes(MASK), `has \`${MASK}\`, by which answers hide a secret; send the whole text`),
);

/** RFC 9110 section 5.6.2 (token); names that the sender itself sets would be there twice. */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const OWN_HEADERS =
  /^(?:host|content-.*|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|user-agent|webhook-.*|ce-.*)$/i;
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

const headerRecord = z
  .record(
    z.string().check(
      z.regex(HEADER_NAME, "is no name of a header"),
      z.refine((text) => !OWN_HEADERS.test(text), "is a header that Sluice itself sends; choose another name"),
    ),
    z.string("is no text").check(
      z.regex(HEADER_VALUE, "is no value of a header: visible ASCII, without spaces at its ends"),
      z.maxLength(SINK_HEADER_MAX_CHARACTERS),
      z.refine((text) => text !== MASK, `is \`${MASK}\`, by which answers hide a value; send the value itself`),
    ),
  )
  .check(
    z.refine((all) => Object.keys(all).length <= SINK_HEADERS_MAX, `has more than ${SINK_HEADERS_MAX} headers`),
    z.refine(
      (all) => new Set(Object.keys(all).map((each) => each.toLowerCase())).size === Object.keys(all).length,
      "names a header twice",
    ),
    z.describe(`Headers of its own, for example a token of the receiver. Answers have \`${MASK}\` for their values`),
  );

/** A record leaves the key `__proto__` out without a word, so it is refused before. */
const headers = z.pipe(
  z.transform((value: unknown, { issues }) => {
    if (typeof value === "object" && value !== null && Object.hasOwn(value, "__proto__"))
      issues.push({ code: "custom", input: value, message: "names a header `__proto__`; choose another name" });
    return value;
  }),
  headerRecord,
);

const url = address.check(z.describe("https, without user and fragment; no redirect is followed"));

const sinks = [
  z.strictObject({
    type: z.literal("webhook"),
    url,
    format: z.optional(
      z
        .enum(WEBHOOK_FORMATS)
        .check(z.describe("The form of CloudEvents: `structured`, the event as JSON, where it is missing")),
    ),
    headers: z.optional(headers),
  }),
  z.strictObject({
    type: z.literal("email"),
    to: z.array(address).check(z.minLength(1), z.maxLength(EMAIL_TO_MAX), z.describe("Addresses")),
  }),
  z.strictObject({ type: z.literal("slack"), url }),
  z.strictObject({ type: z.literal("sns"), topicArn: address }),
  z.strictObject({ type: z.literal("sqs"), queueUrl: address }),
] as const;

const sink = z
  .discriminatedUnion("type", sinks, {
    error: ({ code }) =>
      code === "invalid_union"
        ? `is none of ${sinks.map(({ shape }) => shape.type.def.values[0]).join(", ")}`
        : `is no object with a \`type\`, for example {"type": "webhook", "url": "https://…"}`,
  })
  .check(z.describe("Where the events go"));

const FROM_ERROR = "is neither `now`, nor an instant of RFC 3339, nor a cursor of `GET /feed`";
const from = z.string(FROM_ERROR).check(
  z.minLength(1, FROM_ERROR),
  z.maxLength(CURSOR_MAX_CHARACTERS, FROM_ERROR),
  z.refine((text) => text.isWellFormed(), FROM_ERROR),
  z.describe(
    "`now`; an instant of RFC 3339, from which on received events count; or `next` of an answer of `GET /feed`",
  ),
);

const order = z
  .enum(DELIVERY_ORDERS, `is none of ${DELIVERY_ORDERS.join(", ")}`)
  .check(
    z.describe("`none`: as fast as possible. `subject`: the events of one subject one after another, as in the feed"),
  );
const schedule = z
  .enum(RETRY_SCHEDULES, `is none of ${RETRY_SCHEDULES.join(", ")}`)
  .check(z.describe("`standard`: ten tries in 75 hours. `doubling`: twice the wait each time"));
const batch = z
  .int()
  .check(
    z.minimum(1),
    z.maximum(DELIVERY_BATCH_MAX),
    z.describe("Events of one request, at most. More than one: webhooks in order `none` alone"),
  );
const rate = z
  .int()
  .check(
    z.minimum(1),
    z.maximum(DELIVERY_RATE_MAX),
    z.describe("Events a second on average. Missing: without a bound"),
  );
const timeoutMs = z
  .int()
  .check(
    z.minimum(DELIVERY_TIMEOUT_MIN_MS),
    z.maximum(DELIVERY_TIMEOUT_MAX_MS),
    z.describe("The time that the sink has for its answer"),
  );

/** `POST /subscriptions` */
export const newSubscription = z.strictObject({
  name,
  filter: z.optional(filter),
  sink,
  from: z._default(from, "now"),
  order: z._default(order, "none"),
  schedule: z._default(schedule, "standard"),
  batch: z._default(batch, 1),
  rate: z.optional(rate),
  timeoutMs: z._default(timeoutMs, DELIVERY_TIMEOUT_DEFAULT_MS),
});

export type NewSubscriptionBody = z.output<typeof newSubscription>;

/** `PUT /subscriptions/{id}` */
export const subscriptionChanges = z.strictObject({
  name: z.optional(name),
  filter: z.optional(z.unknown().check(z.describe("Another filter; null takes it away"))),
  sink: z.optional(sink),
  order: z.optional(order),
  schedule: z.optional(schedule),
  batch: z.optional(batch),
  rate: z.optional(z.nullable(rate)).check(z.describe("Another rate; null takes it away")),
  timeoutMs: z.optional(timeoutMs),
});

export type SubscriptionChangesBody = z.output<typeof subscriptionChanges>;

const id = z.string(SUBSCRIPTION_ID_ERROR).check(z.regex(SUBSCRIPTION_ID, SUBSCRIPTION_ID_ERROR));

/** An event that is stored, by its key; with any further member it is the event itself. */
export const storedEventKey = z.strictObject({
  id: z.string().check(z.minLength(1), z.maxLength(ID_MAX_BYTES)),
  source: z.optional(z.string().check(z.minLength(1), z.maxLength(SOURCE_MAX_BYTES))),
});

/** `POST /subscriptions/test` */
export const subscriptionTest = z.strictObject({
  filter: z.optional(filter),
  subscription: z.optional(id.check(z.describe("The id of a subscription, in place of a filter"))),
  event: z
    .record(z.string(), z.unknown(), "is no object: send an event, or the `id` and `source` of one that is stored")
    .check(z.describe("An event as `GET /events/{id}` answers it, or the `id` and `source` of one that is stored")),
});

/** `POST /subscriptions/{id}/seek` */
export const seekBody = z.strictObject({ from });

/** `POST /subscriptions/{id}/rotate` */
export const secretRotation = z.strictObject({
  overlapHours: z._default(
    z
      .int()
      .check(
        z.minimum(0),
        z.maximum(SECRET_OVERLAP_MAX_HOURS),
        z.describe("Hours for which the old secret signs beside the new one"),
      ),
    SECRET_OVERLAP_DEFAULT_HOURS,
  ),
});

/** `POST /subscriptions/{id}/retry` */
export const newRedelivery = z.strictObject({
  filter: z.optional(z.unknown().check(z.describe("A filter of the events. Missing: all"))),
  codes: z.optional(
    z
      .array(z.int().check(z.minimum(100), z.maximum(599)))
      .check(
        z.minLength(1),
        z.maxLength(REDELIVERY_CODES_MAX),
        z.describe("HTTP statuses of the last attempts. Missing: any, and none"),
      ),
  ),
  from: z.optional(instant).check(z.describe("Deliveries whose last attempt was at that time or later")),
  to: z.optional(instant).check(z.describe("Deliveries whose last attempt was before")),
  limit: z.optional(
    z.int().check(z.positive(), z.maximum(REDELIVERY_LIMIT_MAX), z.describe("At most so many, the oldest first")),
  ),
  planned: z.optional(
    z
      .int()
      .check(
        z.positive(),
        z.maximum(REDELIVERY_LIMIT_MAX),
        z.describe(
          "The number of a dry run: where more match by now, nothing starts. With its `until` as `to`, these alone are taken",
        ),
      ),
  ),
  dryRun: z.optional(z.boolean().check(z.describe("`true`: how many they would be, and some of them; nothing starts"))),
});

export type NewRedeliveryBody = z.output<typeof newRedelivery>;
