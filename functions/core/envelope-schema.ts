import * as z from "zod";
import { ENVELOPE_VERSION } from "./envelope.ts";
import { event } from "./event.ts";
import { TENANT_MAX_BYTES } from "./limits.ts";
import { once } from "./once.ts";
import { PRODUCER_ID } from "./producer-id.ts";
import { RETENTION_DAYS } from "./retention.ts";
import { TRACEPARENT } from "./trace.ts";

/** Any other value is no reason to refuse an event. */
const traceparent = () => z.string().regex(TRACEPARENT).optional().catch(undefined);

/**
 * The body of a queue message: events of one tenant and one retention class that were received together. `receivedAt` and
 * `retention` are fixed by ingest and travel with the message, so a redelivered or replayed event goes to the table of its class
 * and of the day it was received.
 */
export const envelope = once(() =>
  z.object({
    version: z.literal(ENVELOPE_VERSION),
    tenant: z.string().min(1).max(TENANT_MAX_BYTES),
    receivedAt: z.iso.datetime(),
    /** In days, 0 for events that are kept. A message that somebody else wrote may have none: the default of the stage. */
    retention: z.literal(Object.values(RETENTION_DAYS)).optional(),
    /**
     * The process of ingest that accepted the events, and the number of the first one: it numbers the events of each tenant from 1 on. Both
     * are missing in a message that somebody else wrote.
     */
    producer: z.string().regex(PRODUCER_ID).optional(),
    sequence: z.int().positive().optional(),
    /** The place of the request in its trace; and that of its client, for events that have none of their own. As W3C Trace Context has it. */
    traceparent: traceparent(),
    eventTraceparent: traceparent(),
    events: z.array(event()).min(1),
  }),
);

/** An envelope whose events are judged one by one. */
export const envelopeHead = once(() => envelope().omit({ events: true }));
