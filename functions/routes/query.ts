import * as z from "zod/mini";
import { AGGREGATE_MAX_FIELDS } from "../core/aggregate-limits.ts";
import { ID_MAX_BYTES, SOURCE_MAX_BYTES } from "../core/limits.ts";
import { instant, LIST_ORDERS } from "../core/list-bodies.ts";
import { LIST_DEFAULT_EVENTS, LIST_MAX_EVENTS } from "../core/list-limits.ts";
import { COUNT_MODES } from "../core/list-reader.ts";
import { eventText } from "./event-text.ts";
import { FEED_DEFAULT_EVENTS, FEED_MAX_EVENTS, FEED_WAIT_MAX_SECONDS } from "../core/feed-limits.ts";
import { aboutDeadLetters } from "./dead-letters.ts";
import { filterParameters } from "./filter-parameters.ts";
import { number } from "./number.ts";
import type { Routes } from "./route.ts";

const page = {
  description: "A page of events",
  contentType: "application/json",
  schema: "Events",
  others: {
    "application/x-ndjson":
      'Whole pages, as many as fit: an event a line, and as the last line the other members of `Events`: `{"next":null,…}`',
    "text/csv":
      "The same as CSV with a header line. `Link` and `Sluice-Next` have the next page, `Sluice-Complete` is `complete`",
  },
} as const;

const text = (error: string) => z.optional(z.string(error).check(z.minLength(1, error)));

const LIST_ERRORS = [
  "bad_filter",
  "bad_cursor",
  "cursor_mismatch",
  "cursor_expired",
  "not_acceptable",
  "queries_shed",
  "too_many_queries",
  "database_unavailable",
] as const;

export const queryRoutes = {
  listEvents: {
    method: "GET",
    path: "/events",
    auth: "events:read",
    tag: "events",
    summary: "List events",
    description: `The events of the tenant that the key may read, in the order they were received. A repeated parameter means
any of its values; \`*\` at the end stands for any rest. The pages of a list have the events that were stored before its
first page, each once. \`next\` and \`prev\` are the \`cursor\` of the pages beside it, sent with the same parameters.
A page is ready within seconds whatever the filter: \`complete\` is false where its time was over before it was full.
docs/query.md explains it.`,
    guide: "docs/query.md",
    query: {
      from: z.optional(instant).check(z.describe("The earliest time of receipt, RFC 3339, which is in the range")),
      to: z.optional(instant).check(z.describe("The latest time of receipt, which is not in the range")),
      timeFrom: z.optional(instant).check(z.describe("The same for `time`, the producer's time")),
      timeTo: z.optional(instant).check(z.describe("The same for `time`, the producer's time")),
      order: z
        .optional(z.enum(LIST_ORDERS, `is none of ${LIST_ORDERS.join(", ")}`))
        .check(z.describe("`-receivedAt`, newest first, where it is missing")),
      limit: number(`is no whole number from 1 to ${LIST_MAX_EVENTS}`, /^[1-9]\d{0,3}$/, LIST_MAX_EVENTS).check(
        z.describe(
          `Events of a page; ${LIST_DEFAULT_EVENTS} where it is missing, and for NDJSON and CSV as many as fit`,
        ),
      ),
      cursor: text("is empty").check(z.describe("`next` or `prev` of another page")),
      select: text("is empty").check(
        z.describe("The members of the events, separated by commas: `id,type,data.total`; all where it is missing"),
      ),
      count: z
        .optional(z.enum(COUNT_MODES, `is none of ${COUNT_MODES.join(", ")}`))
        .check(z.describe("Whether and how the events of the list are counted; `none` where it is missing")),
    },
    ...filterParameters,
    headers: {
      "If-None-Match": {
        description: "The `ETag` of an answer about a range that is over; 304 where nothing was stored since",
      },
    },
    answers: { 200: page, 304: { description: "Nothing in the range has changed since the answer with this `ETag`" } },
    errors: LIST_ERRORS,
  },
  queryEvents: {
    method: "POST",
    path: "/events/query",
    auth: "events:read",
    tag: "events",
    summary: "List events by a filter",
    description: "As `GET /events`, with a filter object in place of its parameters. It changes nothing.",
    guide: "docs/query.md",
    body: { description: "The filter and the page", content: { "application/json": { anyOf: ["EventQuery"] } } },
    answers: { 200: page },
    errors: [...LIST_ERRORS, "malformed_body", "body_too_large", "unsupported_media_type"],
  },
  readEvent: {
    method: "GET",
    path: "/events/{id}",
    auth: "events:read",
    tag: "events",
    summary: "Read one event",
    description: "An accepted event can be read as soon as the consumer has stored it, usually within seconds.",
    parameters: { id: eventText(ID_MAX_BYTES) },
    query: {
      source: z.optional(eventText(SOURCE_MAX_BYTES)).check(z.describe("Needed where several sources used the id")),
    },
    answers: { 200: { description: "The event", contentType: "application/cloudevents+json", schema: "StoredEvent" } },
    errors: ["not_found", "dead_lettered", "ambiguous_id", "database_unavailable"],
  },
  aggregateEvents: {
    method: "POST",
    path: "/events/aggregate",
    auth: "events:read",
    tag: "events",
    summary: "Count and measure events",
    description: `Counts events, and sums up numbers in their data, by time of receipt and up to ${AGGREGATE_MAX_FIELDS} fields. It is answered
from rollups where these suffice, which reads no events, and else from the events as far as time allows; \`metadata\` says
which, and whether the answer is complete. It changes nothing. docs/aggregates.md explains it.`,
    guide: "docs/aggregates.md",
    body: { description: "What is counted", content: { "application/json": { anyOf: ["AggregateQuery"] } } },
    answers: { 200: { description: "The rows", contentType: "application/json", schema: "Aggregate" } },
    errors: [
      "bad_filter",
      "malformed_body",
      "body_too_large",
      "unsupported_media_type",
      "queries_shed",
      "too_many_queries",
      "database_unavailable",
    ],
  },
  readFeed: {
    method: "GET",
    path: "/feed",
    auth: "events:read",
    tag: "events",
    summary: "Follow new events",
    description: `The events of the tenant that the key may read, in the order of the transactions that stored them. A follower
who always sends the last \`next\` as \`after\` gets each event at least once, also those that are stored days after they
were received. A repeated parameter means any of its values; \`*\` at the end stands for any rest. docs/feed.md explains it.`,
    query: {
      after: z
        .optional(z.string())
        .check(
          z.describe(
            "`next` of the answer before; `start` for all that is retained; where it is missing, only what is stored from now on",
          ),
        ),
      wait: number(
        `is no whole number of seconds from 0 to ${FEED_WAIT_MAX_SECONDS}`,
        /^\d{1,2}$/,
        FEED_WAIT_MAX_SECONDS,
      ).check(z.describe("Seconds to wait for an event where there is none; 0 where it is missing")),
      limit: number(`is no whole number from 1 to ${FEED_MAX_EVENTS}`, /^[1-9]\d{0,3}$/, FEED_MAX_EVENTS).check(
        z.describe(`Events of an answer, at most; ${FEED_DEFAULT_EVENTS} where it is missing`),
      ),
    },
    ...filterParameters,
    answers: { 200: { description: "Events, perhaps none", contentType: "application/json", schema: "Feed" } },
    errors: ["bad_cursor", "cursor_mismatch", "cursor_expired", "queries_shed", "database_unavailable"],
  },
  ...aboutDeadLetters,
  health: {
    method: "GET",
    path: "/health",
    auth: "public",
    tag: "health",
    summary: "Ask whether the API answers",
    answers: { 200: { description: "It does", contentType: "application/json", schema: "Health" } },
    errors: [],
  },
} as const satisfies Routes;
