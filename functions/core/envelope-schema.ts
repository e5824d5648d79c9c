import * as z from "zod";
import { ENVELOPE_VERSION } from "./envelope.ts";
import { event } from "./event.ts";
import { TENANT_MAX_BYTES } from "./limits.ts";

/**
 * The body of a queue message: events of one tenant that were received together. `receivedAt` is fixed by ingest and
 * travels with the message, so a redelivered or replayed event goes to the partition of the day it was received.
 */
export const envelope = z.object({
  version: z.literal(ENVELOPE_VERSION),
  tenant: z.string().min(1).max(TENANT_MAX_BYTES),
  receivedAt: z.iso.datetime(),
  events: z.array(event).min(1),
});

export type Envelope = z.output<typeof envelope>;

/** An envelope whose events are judged one by one. */
export const envelopeHead = envelope.omit({ events: true });
