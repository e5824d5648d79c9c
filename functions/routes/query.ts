import * as z from "zod/mini";
import { ID_MAX_BYTES, SOURCE_MAX_BYTES } from "../core/limits.ts";
import { eventText } from "./event-text.ts";
import type { Routes } from "./route.ts";

export const queryRoutes = {
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
    errors: ["not_found", "ambiguous_id", "database_unavailable"],
  },
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
