import * as z from "zod";
import { toCatalog } from "../../../functions/core/catalog.ts";

/** A catalog of the tests' own: the files in catalog/ belong to the user. */
export const catalog = toCatalog([
  {
    file: "catalog/order-placed.ts",
    type: "com.example.order.placed",
    dataschema: "https://schemas.example.com/order-placed/1",
    data: z.object({
      orderId: z.string().min(1),
      customerId: z.string().min(1),
      currency: z.string().regex(/^[A-Z]{3}$/),
      items: z
        .array(z.object({ sku: z.string().min(1), quantity: z.int().positive(), unitAmount: z.int().nonnegative() }))
        .min(1),
    }),
  },
  {
    file: "catalog/telemetry-reading.ts",
    type: "com.example.telemetry.reading",
    dataschema: "https://schemas.example.com/telemetry-reading/1",
    data: z.object({
      deviceId: z.string().min(1),
      sensor: z.string().min(1),
      value: z.number(),
      unit: z.string().min(1),
      quality: z.number().min(0).max(1).optional(),
    }),
  },
  {
    file: "catalog/log-entry.ts",
    type: "com.example.log.entry",
    dataschema: "https://schemas.example.com/log-entry/1",
    data: z.object({
      level: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]),
      message: z.string(),
      service: z.string().min(1),
      traceId: z.string().optional(),
      context: z.record(z.string(), z.unknown()).optional(),
    }),
  },
  {
    file: "catalog/notification-requested.ts",
    type: "com.example.notification.requested",
    dataschema: "https://schemas.example.com/notification-requested/1",
    data: z.object({
      channel: z.enum(["email", "sms", "push"]),
      recipient: z.string().min(1),
      template: z.string().min(1),
      parameters: z.record(z.string(), z.unknown()).optional(),
      sendAfter: z.iso.datetime({ offset: true }).optional(),
    }),
  },
]);
