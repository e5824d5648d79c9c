// Generated from the files of this folder at each bundling; do not edit.
export * as logEntry from "./log-entry.ts";
export * as notificationRequested from "./notification-requested.ts";
export * as orderPlaced from "./order-placed.ts";
export * as telemetryReading from "./telemetry-reading.ts";
