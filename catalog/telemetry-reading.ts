import * as z from "zod";

export const type = "com.example.telemetry.reading";
export const dataschema = "https://schemas.example.com/telemetry-reading/1";

/** Sums and percentiles of it are answered without reading events: docs/aggregates.md. */
export const measures = ["/value"];

/** One reading of one sensor. `unit` is a UCUM code, for example `Cel` or `kPa`. */
export const data = z.object({
  deviceId: z.string().min(1),
  sensor: z.string().min(1),
  value: z.number(),
  unit: z.string().min(1),
  /** 0 (unusable) to 1 (certain). */
  quality: z.number().min(0).max(1).optional(),
});
