import type * as z from "zod";
import * as logEntry from "./log-entry.ts";
import * as notificationRequested from "./notification-requested.ts";
import * as orderPlaced from "./order-placed.ts";
import * as telemetryReading from "./telemetry-reading.ts";

/** A type of event: its CloudEvents `type` and the schema of its `data`. Fields the schema does not name are kept. */
export type EventType = { type: string; data: z.ZodType };

/** The types Sluice checks `data` of. To add one, write its file beside this one and list it here. */
export const catalog: ReadonlyMap<string, EventType> = new Map(
  [orderPlaced, telemetryReading, logEntry, notificationRequested].map((each: EventType) => [each.type, each]),
);
