import * as z from "zod";

export const type = "com.example.log.entry";
export const dataschema = "https://schemas.example.com/log-entry/1";

/** Dropped after a week: docs/retention.md. */
export const retention = "7d";

/** One line of an application's log. */
export const data = z.object({
  level: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]),
  message: z.string(),
  service: z.string().min(1),
  traceId: z.string().optional(),
  context: z.record(z.string(), z.unknown()).optional(),
});
