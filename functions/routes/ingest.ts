import * as z from "zod/mini";
import { REQUEST_MAX_BYTES, REQUEST_MAX_EVENTS } from "../core/limits.ts";
import type { Routes } from "./route.ts";

export const ingestRoutes = {
  sendEvents: {
    method: "POST",
    path: "/events",
    auth: "events:write",
    tag: "events",
    summary: "Send events",
    description: `Up to ${REQUEST_MAX_EVENTS} events; the content type says how they are written. Each event is checked by itself: its
verdict is in \`results\`, in the order of the request.

With the header \`ce-specversion\` the body is the data of one CloudEvent in binary mode, and \`ce-\` headers carry its
attributes, extension attributes included.

An event with \`specversion\` in plain JSON or NDJSON is read as the CloudEvent that it is.`,
    query: {
      validate: z
        .optional(z.enum(["only"], "takes only one value: only"))
        .check(z.describe("`only`: answer the verdicts and enqueue nothing")),
      status: z
        .optional(z.enum(["whole"], "takes only one value: whole"))
        .check(
          z.describe(
            "`whole`: for clients that read only the status: 503 if any event is to be sent again, 429 if a limit has no room for all, 413 if it never has, 422 if none was valid, otherwise 202",
          ),
        ),
    },
    headers: {
      "Content-Encoding": {
        description: `\`gzip\`: the body is compressed; at most ${REQUEST_MAX_BYTES / 1024 / 1024} MiB after inflating`,
        values: ["gzip"],
      },
      "ce-specversion": attribute("specversion", "1.0"),
      "ce-id": attribute("id", "order-1"),
      "ce-source": attribute("source", "/shop"),
      "ce-type": attribute("type", "com.example.order.placed"),
      "ce-subject": attribute("subject", "order-1"),
      "ce-time": attribute("time", "2026-11-21T09:30:00Z"),
    },
    body: {
      description: `At most ${REQUEST_MAX_BYTES / 1024 / 1024} MiB`,
      content: {
        "application/json": { anyOf: ["Event", "CloudEvent", "Event[]", "CloudEvent[]"] },
        "application/x-ndjson": {
          type: "string",
          description: "One event in plain JSON a line; empty lines do not count. Verdicts have the number of the line",
        },
        "application/cloudevents+json": { anyOf: ["CloudEvent"] },
        "application/cloudevents-batch+json": { anyOf: ["CloudEvent[]"], mayBeEmpty: true },
        "*/*": { description: "Binary mode: JSON and text are stored as such, everything else as `data_base64`" },
      },
    },
    answers: {
      202: {
        description:
          "Every event was accepted (`duplicate` included). With `?status=whole` others may be invalid: none is to be sent again",
        contentType: "application/json",
        schema: "Verdicts",
      },
      207: {
        description:
          "Some events were accepted. With `Retry-After` a limit of the tenant or the key was reached: events marked `retry` pass after it",
        contentType: "application/json",
        schema: "Verdicts",
      },
      422: { description: "No event was valid", contentType: "application/json", schema: "Verdicts" },
    },
    errors: [
      "malformed_body",
      "bad_header",
      "body_too_large",
      "too_many_events",
      "too_many_values",
      "unsupported_media_type",
      "queue_unavailable",
      "not_all_enqueued",
    ],
  },
} as const satisfies Routes;

/** A header of binary mode. Its example is in the text: the page would send it with every request. */
function attribute(name: string, example: string) {
  return {
    description: `Binary mode: the attribute \`${name}\`, for example \`${example}\`; percent-encoded where it is not printable ASCII`,
  };
}
