import type { ingestRoutes } from "../routes/ingest.ts";
import type { Handlers } from "../routes/route.ts";
import type { createIngest } from "./ingest.ts";
import { createSendEvents } from "./protocols/events/send-events.ts";

/** Answers the routes of ingest, one protocol each. */
export function createIngestEndpoints(ingest: ReturnType<typeof createIngest>): Handlers<typeof ingestRoutes> {
  return { sendEvents: createSendEvents(ingest) };
}
